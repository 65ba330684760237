"""Mirror or turn the labels of a view, with everything that Undo and Redo would bring back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.gui.layers.labels import reorient_results
from napari_bonescint.gui.layers.scans import put_pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Labels
    from numpy.typing import NDArray

    Move = Callable[[NDArray[Any]], NDArray[Any]]
    """Mirrors or turns pixels (y, x)."""


def reorient_labels(labels: Labels, move: Move) -> None:
    """Mirror or turn a labels layer (y, x); Undo and Redo go on as before, over the image that was moved alike.

    Parameters
    ----------
    labels : Labels
    move : callable
        Such as `View.as_shown`: gives another view of the memory of a plane.
    """
    # Each pixel's number in the layer as it is, at the place where it goes.
    numbers = move(np.arange(labels.data.size, dtype=np.int64).reshape(labels.data.shape))
    goes_to = np.empty(labels.data.size, np.int64)
    goes_to[numbers.ravel()] = np.arange(labels.data.size)

    def moved(atom: Any) -> Any:
        """One change of napari's history: of a box of pixels, or of single pixels if `data_setitem` made it."""
        if not hasattr(atom, "slice_key"):
            points, before, after = atom
            return new_places(points), before, after
        (top, bottom, _), (left, right, _) = (
            axis.indices(length) for axis, length in zip(atom.slice_key, labels.data.shape, strict=True)
        )
        corners = new_places((np.array([top, bottom - 1]), np.array([left, right - 1])))
        box = tuple(slice(int(ends.min()), int(ends.max()) + 1) for ends in corners)
        mask, before = atom.mask, np.asarray(atom.old_values)
        if mask is None:
            return atom._replace(slice_key=box, old_values=move(before))
        return atom._replace(slice_key=box, mask=move(mask), old_values=_under(mask, before, move))

    def new_places(points: tuple[Any, Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        rows, columns = np.unravel_index(goes_to[np.ravel_multi_index(points, labels.data.shape)], numbers.shape)
        return rows, columns

    kept = [[[moved(atom) for atom in step] for step in history] for history in _histories(labels)]
    put_pixels(labels, move(labels.data).copy())
    for history, steps in zip(_histories(labels), kept, strict=True):
        history.clear()
        history.extend(steps)
    reorient_results(labels, move)
    labels.refresh()


def _histories(labels: Labels) -> tuple[Any, Any]:
    return labels._undo_history, labels._redo_history


def _under(mask: NDArray[np.bool_], values: NDArray[np.generic], move: Move) -> NDArray[np.generic]:
    """The values under a mask, in the order of the mask that was moved."""
    whole = np.zeros(mask.shape, values.dtype)
    whole[mask] = values
    return np.asarray(move(whole)[move(mask)])
