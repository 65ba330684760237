"""Find near-duplicates in a label store: cases with the same counts except for a few pixels, such as a second export.

Counts are compared by a sketch (min-hash): the square around each local maximum is hashed, and the 32 smallest hashes
are kept. Two scans of one person share no hash, since photon noise makes all squares different. Two exports of one scan
share most hashes, even if a border is cut off, a view is mirrored or text is burned in.

``alike.json`` in the store is a cache and can be deleted at any time. Without the store's secret, nobody can find out
from it which scan a case is.
"""

from __future__ import annotations

import hmac
import json
from collections import Counter, defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import maximum_filter

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.folder import read_secrets
from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore

_CACHE, _VERSION = "alike.json", 1
_SIDE = 7
# A square with fewer different values may also occur in another scan.
_FEWEST_VALUES = 6
_KEPT = 32
_FEWEST_HASHES = 8
_SHARED = 0.3

Sketch = tuple[int, ...]
"""The smallest hashes, in order."""


def sketch(counts: NDArray[np.generic], key: bytes) -> Sketch:
    """The sketch of counts of shape (view, y, x); empty if they have too few local maxima.

    Sketches with different keys cannot be compared.
    """
    seed = int.from_bytes(hmac.digest(key, b"sketch", "sha256"))
    weights = np.random.default_rng(seed).integers(0, 2**63, (_SIDE, _SIDE), np.uint64) | np.uint64(1)
    found: set[int] = set()
    for view in counts:
        if min(view.shape) < _SIDE:
            continue
        margin = _SIDE // 2
        peaks = (view == maximum_filter(view, _SIDE))[margin:-margin, margin:-margin]
        values = view if view.dtype.kind in "iu" else np.ascontiguousarray(view, np.float32).view(np.uint32)
        squares = sliding_window_view(values, (_SIDE, _SIDE))[peaks].astype(np.uint64)
        ordered = np.sort(squares.reshape(len(squares), -1), axis=1)
        squares = squares[(np.diff(ordered, axis=1) > 0).sum(axis=1) + 1 >= _FEWEST_VALUES]
        # The sum over a square and its mirror image is the same in a mirrored view.
        hashes = (squares * weights).sum((1, 2)) + (squares[:, :, ::-1] * weights).sum((1, 2))
        hashes ^= hashes >> np.uint64(32)
        found.update(((hashes * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)).tolist())
    return tuple(sorted(found)[:_KEPT]) if len(found) >= _FEWEST_HASHES else ()


def are_alike(one: Sketch, other: Sketch) -> bool:
    """Whether two sketches are of the same counts, except for a few pixels."""
    smallest = set(sorted({*one, *other})[:_KEPT])
    return bool(smallest) and len(smallest & set(one) & set(other)) >= _SHARED * len(smallest)


class Lookalikes:
    """Finds near-duplicates in a store; `on_progress` is called with the fraction of sketches made, 0 to 1.

    Raises
    ------
    StoreError
        If the store cannot be reached, or its secret is missing.
    """

    def __init__(self, store: LabelStore, on_progress: Callable[[float], object] = lambda _fraction: None) -> None:
        self._store, self._key = store, read_secrets(store.folder)[0]
        self._sketches: dict[str, Sketch] = {}
        self._with_hash: dict[int, set[str]] = defaultdict(set)
        known = self._read()
        cases = store.keys()
        self._is_changed = bool(known.keys() - set(cases))
        for done, case in enumerate(cases):
            if case in known:
                self._enter(case, known[case])
            else:
                self.enter(case)
                on_progress(done / len(cases))

    def enter(self, case: str) -> None:
        """Make the sketch of a case, unless there is one; a damaged case has none."""
        if case not in self._sketches:
            with suppress(Damaged):
                self._enter(case, sketch(self._store.scan(case).counts, self._key))
                self._is_changed = True

    def like(self, case: str) -> list[str]:
        """Keys of the near-duplicates of a case."""
        own = self._sketches.get(case, ())
        shared = Counter(other for number in own for other in self._with_hash[number])
        return sorted(other for other in shared if other != case and are_alike(own, self._sketches[other]))

    def keep(self) -> None:
        """Write the cache if it has changed."""
        if self._is_changed:
            content = {"version": _VERSION, "sketches": self._sketches}
            # Without the cache everything works, only slower.
            with suppress(CannotWrite):
                write_bytes_atomically(self._store.folder / _CACHE, json.dumps(content).encode())

    def _enter(self, case: str, found: Sketch) -> None:
        self._sketches[case] = found
        for number in found:
            self._with_hash[number].add(case)

    def _read(self) -> dict[str, Sketch]:
        try:
            kept = json.loads((self._store.folder / _CACHE).read_bytes())
            if kept["version"] != _VERSION:
                return {}
            return {str(case): tuple(map(int, numbers)) for case, numbers in kept["sketches"].items()}
        except Exception:  # a damaged or foreign cache counts as empty
            return {}
