"""A view with a mask to correct, for `correction_strokes`: finds the errors in the mask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.ndimage import label
from scipy.spatial import KDTree

from napari_bonescint.corrections.tools.strokes import bounding_box
from stroke_paths import LONGEST, contours, medial_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Mask = NDArray[np.uint8]
    Points = NDArray[np.float64]
    Pixels = NDArray[np.intp]

STRETCHES = (40, 120, LONGEST)
"""Lengths, in pixels, of the stretches of an edge that are thought of."""

PLACES = 3
_REACH = 6.0
"""Largest distance, in pixels, at which an error belongs to a true edge."""

_CORNERS_TOO = np.ones((3, 3), np.bool_)


class Place(NamedTuple):
    """A connected piece of error, or the errors along a stretch of a true edge.

    Attributes
    ----------
    pixels : ndarray of shape (n,)
        The wrong pixels: indices into the flattened view.
    missed : bool
        True if bone is missing, false if background is labelled as bone.
    code : int
        Region code.
    """

    pixels: Pixels
    missed: bool
    code: int


class Stretch(NamedTuple):
    """A stretch of a true edge, and the errors along it."""

    path: Points
    place: Place


class _Windows:
    """All stretches of one length of some closed edges, as indices into the points of all edges together."""

    def __init__(self, sizes: list[int], length: int) -> None:
        starts = np.cumsum([0, *sizes[:-1]])
        # Each edge is closed, so a stretch may begin anywhere.
        rounds = [start + np.arange(2 * size) % size for start, size in zip(starts, sizes, strict=True)]
        self._points = np.concatenate(rounds)
        self._first = np.concatenate([2 * start + np.arange(size) for start, size in zip(starts, sizes, strict=True)])
        self._lengths = np.concatenate([np.full(size, min(length, size)) for size in sizes])

    def densest(self, wrong: NDArray[np.integer]) -> tuple[NDArray[np.integer], int]:
        """The stretch with the most errors, and their number, given the number of errors at each point."""
        upto = np.concatenate([[0], wrong[self._points].cumsum()])
        totals = upto[self._first + self._lengths] - upto[self._first]
        best = int(totals.argmax())
        first = self._first[best]
        return self._points[first : first + self._lengths[best]], int(totals[best])


@dataclass(frozen=True)
class Task:
    """One view to correct: the input of the tools, and the truth, which only the annotator sees."""

    name: str
    counts: NDArray[np.generic]
    probability: NDArray[np.float32]
    model: Mask
    truth: Mask
    bone: NDArray[np.bool_] = field(init=False)
    pieces: NDArray[np.integer] = field(init=False)
    _edges: Points = field(init=False)
    _windows: list[_Windows] = field(init=False)
    _nearest: NDArray[np.intp] = field(init=False)
    _outlines: dict[int, tuple[Points, int]] = field(default_factory=dict)
    _lines: dict[bytes, Points] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bone = self.truth > 0
        edges = [edge[:-1] for edge in contours(bone)]
        points = np.concatenate(edges)
        away, nearest = KDTree(points).query(np.argwhere(np.ones(bone.shape, np.bool_)), distance_upper_bound=_REACH)
        put = object.__setattr__
        put(self, "bone", bone)
        put(self, "pieces", label(bone, _CORNERS_TOO)[0])
        put(self, "_edges", points)
        put(self, "_windows", [_Windows([len(edge) for edge in edges], length) for length in STRETCHES])
        put(self, "_nearest", np.where(np.isfinite(away), nearest, -1))

    def errors(self, mask: Mask) -> int:
        """Pixels that are bone in one of mask and truth only."""
        return int(np.count_nonzero((mask > 0) != self.bone))

    def dice(self, mask: Mask) -> float:
        """Dice of the skeleton."""
        return 1 - self.errors(mask) / (np.count_nonzero(mask) + np.count_nonzero(self.bone))

    def places(self, mask: Mask, left_alone: NDArray[np.bool_]) -> list[Place]:
        """The largest pieces of error outside the excluded pixels."""
        found: list[tuple[int, bool, int, NDArray[np.integer]]] = []
        for missed in (True, False):
            pieces, _ = label(self._wrong(mask, missed=missed), _CORNERS_TOO)
            sizes = np.bincount(pieces[~left_alone], minlength=pieces.max() + 1)
            found += [(int(sizes[i]), missed, i, pieces) for i in sizes[1:].argsort()[::-1][:PLACES] + 1 if sizes[i]]
        found.sort(key=lambda entry: -entry[0])
        return [
            self._place(np.flatnonzero(pieces == number), mask, missed=missed)
            for _, missed, number, pieces in found[:PLACES]
        ]

    def stretches(self, mask: Mask, left_alone: NDArray[np.bool_], missed: bool | None) -> Iterator[Stretch]:
        """For each length, the stretch of edge with the most errors, without the excluded pixels.

        Parameters
        ----------
        mask : ndarray of uint8, shape (y, x)
            The present mask.
        left_alone : ndarray of bool, shape (y, x)
            Excluded pixels.
        missed : bool or None
            True for missed bone, false for wrong bone, None for both.
        """
        wrong = (mask > 0) != self.bone if missed is None else self._wrong(mask, missed=missed)
        pixels = np.flatnonzero(wrong & ~left_alone)
        pixels = pixels[self._nearest[pixels] >= 0]
        nearest = self._nearest[pixels]
        along = np.bincount(nearest, minlength=len(self._edges))
        for windows in self._windows:
            points, total = windows.densest(along)
            if total:
                inside = np.zeros(len(self._edges), np.bool_)
                inside[points] = True
                yield Stretch(
                    self._edges[points], self._place(pixels[inside[nearest]], mask, missed=missed is not False)
                )

    def outlines(self, place: Place) -> Iterator[tuple[Points, int]]:
        """Outlines of the true pieces of bone at a place, with their codes, if they are short enough for one stroke."""
        rows, columns = np.unravel_index(place.pixels, self.bone.shape)
        window = tuple(slice(max(each.min() - 2, 0), each.max() + 3) for each in (rows, columns))
        for piece in np.unique(self.pieces[window]):
            if piece == 0:
                continue
            outline, code = self._outline(int(piece))
            if len(outline) <= LONGEST:
                yield outline, code

    def middle_of(self, place: Place) -> Points:
        """The longest path along the middle of the errors at a place."""
        known = place.pixels.tobytes()
        if known not in self._lines:
            self._lines[known] = medial_line(self.image_of(place))
        return self._lines[known]

    def image_of(self, place: Place) -> NDArray[np.bool_]:
        """A mask of the pixels of a place."""
        image = np.zeros(self.bone.shape, np.bool_)
        image.flat[place.pixels] = True
        return image

    def _wrong(self, mask: Mask, *, missed: bool) -> NDArray[np.bool_]:
        return self.bone & (mask == 0) if missed else ~self.bone & (mask > 0)

    def _place(self, pixels: Pixels, mask: Mask, *, missed: bool) -> Place:
        codes = (self.truth if missed else mask).flat[pixels]
        named = codes[codes > 0]
        return Place(pixels, missed, int(np.bincount(named).argmax()) if named.size else 1)

    def _outline(self, piece: int) -> tuple[Points, int]:
        if piece not in self._outlines:
            window = bounding_box(self.pieces == piece)
            edge = contours(self.pieces[window] == piece)[0] + [part.start for part in window]
            self._outlines[piece] = edge, int(self.truth[self.pieces == piece][0])
        return self._outlines[piece]
