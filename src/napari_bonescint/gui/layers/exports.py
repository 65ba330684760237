"""Masks that were written to files from their layers, so that nothing is lost when the layers are left."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from psygnal import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from napari.layers import Labels
    from numpy.typing import NDArray


class Exports:
    """The masks that were exported last, by layer."""

    noted = Signal()
    """Emitted when masks were exported."""

    def __init__(self) -> None:
        self._masks: WeakKeyDictionary[Labels, NDArray[np.generic]] = WeakKeyDictionary()

    def note(self, masks: Mapping[Labels, NDArray[np.generic]]) -> None:
        """Take note that the masks of these layers, as they were then, are in files."""
        self._masks.update(masks)
        self.noted.emit()

    def hold(self, layers: Iterable[Labels]) -> bool:
        """Whether all of these layers show what was exported from them."""
        return all(each in self._masks and np.array_equal(self._masks[each], each.data) for each in layers)


EXPORTS = Exports()
