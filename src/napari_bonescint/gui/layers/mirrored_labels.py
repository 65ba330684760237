"""Mirror the labels of a view, with everything that Undo and Redo would bring back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.gui.layers.labels import mirror_results
from napari_bonescint.gui.layers.scans import put_pixels

if TYPE_CHECKING:
    from napari.layers import Labels
    from numpy.typing import NDArray


def mirror_labels(labels: Labels) -> None:
    """Mirror a labels layer (y, x) left to right; Undo and Redo go on as before, over the mirrored image.

    Mirrored twice, the layer is the same again.
    """
    width = labels.data.shape[1]
    undo, redo = ([[_mirrored(atom, width) for atom in step] for step in history] for history in _histories(labels))
    put_pixels(labels, labels.data[:, ::-1].copy())
    for history, steps in zip(_histories(labels), (undo, redo), strict=True):
        history.clear()
        history.extend(steps)
    mirror_results(labels)
    labels.refresh()


def _histories(labels: Labels) -> tuple[Any, Any]:
    return labels._undo_history, labels._redo_history


def _mirrored(atom: Any, width: int) -> Any:
    """One change of napari's history: of a box of pixels, or of single pixels if `data_setitem` made it."""
    if not hasattr(atom, "slice_key"):
        (rows, columns), before, after = atom
        return (rows, width - 1 - np.asarray(columns)), before, after
    rows, columns = atom.slice_key
    first, last, _ = columns.indices(width)
    mask, before = atom.mask, np.asarray(atom.old_values)
    turned = before[:, ::-1] if mask is None else _under(mask, before)
    box = (rows, slice(width - last, width - first))
    return atom._replace(slice_key=box, mask=None if mask is None else mask[:, ::-1], old_values=turned)


def _under(mask: NDArray[np.bool_], values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The values under a mask, in the order of the mirrored mask."""
    whole = np.zeros(mask.shape, values.dtype)
    whole[mask] = values
    return np.asarray(whole[:, ::-1][mask[:, ::-1]])
