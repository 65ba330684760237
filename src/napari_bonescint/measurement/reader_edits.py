"""Numbers of the hot spots in a labels image that a reader paints and erases in; pure functions on one view.

SciPy is imported when it is needed, because that takes some tenths of a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_TOUCHING = np.ones((3, 3), bool)
# Of the pixels of a new hot spot: above this share it is one that the reader erased.
_ERASED = 0.5


@dataclass(frozen=True)
class Renumbered:
    """Hot spots after an edit.

    Attributes
    ----------
    labels : ndarray of uint16, shape (y, x)
        Hot spots; each piece that the reader painted or cut off has a number of its own.
    drawn : frozenset of int
        Numbers of the pieces that the reader painted.
    parents : dict of int to int
        For a piece that was cut off a hot spot, the number of that hot spot.
    """

    labels: NDArray[np.uint16]
    drawn: frozenset[int] = frozenset()
    parents: dict[int, int] = field(default_factory=dict)


def numbers_in(labels: NDArray[np.uint16]) -> list[int]:
    """Numbers of the hot spots in a view, in order."""
    # Faster than `np.unique`, which sorts.
    return [int(number) for number in np.flatnonzero(np.bincount(labels.ravel())) if number]


def renumber(edited: NDArray[np.uint16], before: NDArray[np.uint16], first_free: int) -> Renumbered:
    """Number the hot spots of a view after the reader has painted or erased.

    A painted piece that touches a hot spot enlarges it; another one becomes a hot spot. A hot spot that was cut into
    pieces keeps its number for the largest piece.

    Parameters
    ----------
    edited : ndarray of uint16, shape (y, x)
        The labels as the reader left them.
    before : ndarray of uint16, shape (y, x)
        The labels before, as this function returned them.
    first_free : int
        A number above all that were ever used in this view.
    """
    labels = edited.copy()
    changed = edited != before
    known = set(numbers_in(before))
    touched = sorted({*np.unique(edited[changed]).tolist(), *np.unique(before[changed]).tolist()} - {0})
    drawn: set[int] = set()
    parents: dict[int, int] = {}
    free = first_free
    for number in touched:
        pieces, box = _pieces(edited, number)
        kept = max((piece for piece in pieces if _has(before, box, piece, number)), key=np.count_nonzero, default=None)
        for piece in pieces:
            if piece is kept:
                continue
            here = labels[box]
            if kept is not None and _has(before, box, piece, number):
                parents[free], given = number, free
            elif touching := _touched(edited, before, box, piece, known - {number}):
                given = touching
            elif number not in known and number not in drawn:
                given = number
                drawn.add(number)
            else:
                given = free
                drawn.add(free)
            here[piece] = given
            free = max(free, given + 1)
    return Renumbered(labels, frozenset(drawn), parents)


@dataclass(frozen=True)
class Carried:
    """Hot spots that were found again, with what the reader has changed.

    Attributes
    ----------
    labels : ndarray of uint16, shape (y, x)
        The hot spots to show.
    found : ndarray of uint16, shape (y, x)
        The hot spots as they were found, under the numbers of those to show; those that the reader erased have numbers
        of their own.
    """

    labels: NDArray[np.uint16]
    found: NDArray[np.uint16]


def carry_over(
    new: NDArray[np.uint16],
    present: NDArray[np.uint16],
    found: NDArray[np.uint16],
    decided: Collection[int],
    first_free: int,
) -> Carried:
    """New hot spots of a view with what the reader has changed in the former ones.

    A new hot spot takes the number of the former one that it covers most. Those that the reader drew, reshaped or
    decided on stay; those that the reader erased do not come back, however often they are found.

    Parameters
    ----------
    new : ndarray of uint16, shape (y, x)
        Hot spots as they are found now.
    present : ndarray of uint16, shape (y, x)
        The former hot spots, with the reader's edits.
    found : ndarray of uint16, shape (y, x)
        The former hot spots as they were found.
    decided : collection of int
        Numbers of hot spots that the reader decided to be suspicious.
    first_free : int
        A number above all that were ever used in this view.
    """
    formed = {number for number in numbers_in(present) if not np.array_equal(present == number, found == number)}
    erased = np.isin(found, list(set(numbers_in(found)) - set(numbers_in(np.where(present > 0, found, 0)))))
    carried = np.where(np.isin(present, list(formed)), present, 0).astype(np.uint16)
    as_found = np.zeros_like(carried)
    used, free = set(formed), first_free
    gone = []
    spots = sorted(numbers_in(new), key=lambda number: -int(np.count_nonzero(new == number)))
    for number in spots:
        here = new == number
        if len(reshaped := carried[here & (carried > 0)]):
            as_found[here] = int(np.bincount(reshaped).argmax())
            continue
        if np.mean(erased[here]) > _ERASED:
            gone.append(here)
            continue
        under = present[here & ~np.isin(present, [0, *used])]
        given = int(np.bincount(under).argmax()) if under.size else free
        free = max(free, given + 1)
        used.add(given)
        carried[here] = as_found[here] = given
    for number in set(decided) & set(numbers_in(present)) - used:
        here = (present == number) & (carried == 0)
        carried[here] = number
    for number, here in enumerate(gone, start=free):
        as_found[here] = number
    return Carried(carried, as_found)


def _pieces(labels: NDArray[np.uint16], number: int) -> tuple[list[NDArray[np.bool_]], tuple[slice, slice]]:
    """The separate pieces of a number, in a box around all of them; the largest comes first."""
    where = labels == number
    if not where.any():
        return [], (slice(0), slice(0))
    from scipy import ndimage

    rows, columns = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    split, count = ndimage.label(where[box], _TOUCHING)
    pieces = [split == piece for piece in range(1, count + 1)]
    return sorted(pieces, key=np.count_nonzero, reverse=True), box


def _has(before: NDArray[np.uint16], box: tuple[slice, slice], piece: NDArray[np.bool_], number: int) -> bool:
    return bool(np.any(before[box][piece] == number))


def _touched(
    edited: NDArray[np.uint16],
    before: NDArray[np.uint16],
    box: tuple[slice, slice],
    piece: NDArray[np.bool_],
    known: Collection[int],
) -> int:
    """The earlier hot spot that a painted piece covers or touches most; 0 if there is none."""
    from scipy import ndimage

    rows, columns = (slice(max(each.start - 1, 0), each.stop + 1) for each in box)
    top, left = box[0].start - rows.start, box[1].start - columns.start
    near: NDArray[Any] = np.zeros(edited[rows, columns].shape, bool)
    near[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    around = ndimage.binary_dilation(near, _TOUCHING) & ~near
    met = np.concatenate([edited[rows, columns][around], before[box][piece]])
    met = met[np.isin(met, list(known))]
    return int(np.bincount(met).argmax()) if met.size else 0
