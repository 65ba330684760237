"""Which reviewed masks of a label store can be learnt from, and a cache of it: to know, all pixels must be read once.

``fit.json`` in the store can be deleted at any time. It names the masks in which nothing was amiss, with size and time
of the files that were read; where these differ, and where something was amiss, the files are read anew. What gets
damaged later without either changing is found out when the scan is drawn.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.corrections.errors import reachable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.revision import Revision
    from napari_bonescint.scan import View

_VERSION = 1
# Reading the pixels of this many takes less time than anybody would notice.
_WORTH_WRITING = 64

Stamps = tuple[int, ...]


class FitMasks:
    """The masks of a store that were found fit.

    Parameters
    ----------
    store : LabelStore
        May be in a folder that is read-only, which only takes longer.

    Attributes
    ----------
    store : LabelStore
    """

    def __init__(self, store: LabelStore) -> None:
        self.store = store
        self._cache = store.folder / "fit.json"
        self._known = _read(self._cache)
        self._new: dict[str, Stamps] = {}

    def fault(self, case: str, revision: Revision) -> str:
        """Why nothing can be learnt from a mask: a sentence; empty if something can.

        May be called in several threads.

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
        """Write down what was found out, if it is worth it."""
        if len(self._new) >= _WORTH_WRITING:
            content = {"version": _VERSION, "masks": self._known | self._new}
            # Without it all works as well, only slower.
            with suppress(CannotWrite):
                write_bytes_atomically(self._cache, json.dumps(content, sort_keys=True).encode())

    def _stamps(self, case: str, number: int) -> Stamps:
        stamps: list[int] = []
        for path in self.store.pixel_files(case, number):
            # A file that is missing is named when it is read.
            with reachable(path), suppress(FileNotFoundError):
                facts = path.stat()
                stamps += (facts.st_size, facts.st_mtime_ns)
        return tuple(stamps)


def fault_in(views: Sequence[View], regions: NDArray[np.uint8], *, names_regions: bool) -> str:
    """What is amiss with a mask of shape (view, y, x), as what follows its name in a sentence."""
    for view, mask in zip(views, regions, strict=True):
        if not mask.any():
            return f"shows no bone in the {view.name} view."
        if mask.all():
            return f"calls all of the {view.name} view bone."
    bone = regions[regions > 0]
    if names_regions and bone.min() == bone.max():
        return "is to name bones, but names a single one everywhere."
    return ""


def _read(cache: Path) -> dict[str, Stamps]:
    try:
        kept = json.loads(cache.read_bytes())
        if kept["version"] != _VERSION:
            return {}
        return {str(name): tuple(map(int, stamps)) for name, stamps in kept["masks"].items()}
    except Exception:  # a cache that says anything else is none
        return {}
