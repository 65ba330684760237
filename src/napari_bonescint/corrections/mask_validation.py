"""Validate the reviewed masks of a label store for training, and cache the result, since all pixels must be read.

``fit.json`` in the store lists the valid masks with size and time of their files; it can be deleted at any time. Files
with another size or time, and files of invalid masks, are read again. Later damage that changes neither size nor time
is found when the training reads the scan.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import reachable
from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.revision import Revision
    from napari_bonescint.scan import View

_VERSION = 1
# With fewer new masks, reading them again takes no noticeable time.
_WORTH_WRITING = 64

Stamps = tuple[int, ...]


class ValidMasks:
    """The valid masks of a store; if its folder is read-only, nothing is cached."""

    def __init__(self, store: LabelStore) -> None:
        self.store = store
        self._cache = store.folder / "fit.json"
        self._known = _read(self._cache)
        self._new: dict[str, Stamps] = {}

    def fault(self, case: str, revision: Revision) -> str:
        """A sentence on why a mask cannot be trained on; empty if it can. Several threads may call this.

        Raises
        ------
        StoreError
            If counts or mask are damaged or cannot be reached.
        """
        name, stamps = f"{case}/{revision.number}", self._stamps(case, revision.number)
        if self._known.get(name) == stamps:
            return ""
        scan, regions = self.store.scan(case), self.store.regions(case, revision.number)
        sentence = fault_in(scan.views, regions, names_regions=revision.names_regions)
        if not sentence:
            self._new[name] = stamps
        return f"Revision {revision.number} {sentence}" if sentence else ""

    def keep(self) -> None:
        """Write the cache, unless only few masks are new."""
        if len(self._new) >= _WORTH_WRITING:
            content = {"version": _VERSION, "masks": self._known | self._new}
            # Without the cache everything works, only slower.
            with suppress(CannotWrite):
                write_bytes_atomically(self._cache, json.dumps(content, sort_keys=True).encode())

    def _stamps(self, case: str, number: int) -> Stamps:
        stamps: list[int] = []
        for path in self.store.pixel_files(case, number):
            # A missing file is reported when it is read.
            with reachable(path), suppress(FileNotFoundError):
                facts = path.stat()
                stamps += (facts.st_size, facts.st_mtime_ns)
        return tuple(stamps)


def fault_in(views: Sequence[View], regions: NDArray[np.uint8], *, names_regions: bool) -> str:
    """The fault of a mask of shape (view, y, x): the end of a sentence that begins with its name; empty if none."""
    for view, mask in zip(views, regions, strict=True):
        if not mask.any():
            return f"shows no bone in the {view.name} view."
        if mask.all():
            return f"labels all of the {view.name} view as bone."
    bone = regions[regions > 0]
    if names_regions and bone.min() == bone.max():
        return "should name bones, but has a single name everywhere."
    return ""


def _read(cache: Path) -> dict[str, Stamps]:
    try:
        kept = json.loads(cache.read_bytes())
        if kept["version"] != _VERSION:
            return {}
        return {str(name): tuple(map(int, stamps)) for name, stamps in kept["masks"].items()}
    except Exception:  # a damaged or foreign cache counts as empty
        return {}
