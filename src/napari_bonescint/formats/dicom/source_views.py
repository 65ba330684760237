"""Find the file, frame and columns of each view of a scan in its DICOM files.

Each view is found by its counts: a store keeps no file names, and a user may have mirrored, turned, inverted, split,
named or reordered the views.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import Header, is_encrypted, looks_like_dicom, parse_whole
from napari_bonescint.formats.dicom.nuclear_medicine import read_planar_header
from napari_bonescint.formats.dicom.pixels import decode
from napari_bonescint.formats.dicom.stored_values import as_counts
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.formats.safe_reading.source_file import read_whole
from napari_bonescint.scan import View, ViewName
from napari_bonescint.scan_edits import inverted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Turn


class SourceMissing(BonescintError):
    """The DICOM file that a scan was read from is missing, or is no DICOM file."""


class SourceView(NamedTuple):
    """The place of one view: index of its file, number of its frame (from 1 as in DICOM), and a part of the frame.

    `mirrored` tells whether the scan shows these columns from right to left, and `turned` by how many degrees it turns
    them clockwise after that.
    """

    file: int
    frame: int
    columns: slice
    mirrored: bool
    turned: Turn = 0
    rows: slice = slice(None)

    def cut(self, frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The view's part of a frame (y, x), as the scan shows it."""
        return self._view.as_shown(frame[self.rows, self.columns])

    def paste(self, view: NDArray[np.uint8], frame: NDArray[np.uint8]) -> None:
        """Put a view (y, x) into its part of a frame, as the file shows it."""
        frame[self.rows, self.columns] = self._view.as_in_file(view)

    @property
    def _view(self) -> View:
        return View(ViewName.ANTERIOR, flipped=self.mirrored, turned=self.turned)


@dataclass(frozen=True)
class SourceImages:
    """The DICOM files of a scan: headers, numbers of frames, size of a frame (rows, columns), places of the views."""

    headers: tuple[Header, ...]
    frames: tuple[int, ...]
    size: tuple[int, int]
    views: tuple[SourceView, ...]


def find_views(scan: Scan) -> SourceImages:
    """Find the views of a scan in its DICOM files, named by its `sources`.

    If the scan names no file, or a file is no DICOM file, or the files do not hold its counts, `SourceMissing` is
    raised; an unreadable file is a `Refusal`.
    """
    if not scan.sources:
        raise SourceMissing(f"{scan.name}: the DICOM file of this scan is needed, but the scan names no file.")
    headers: list[Header] = []
    frames: list[int] = []
    candidates: list[_Candidate] = []
    for file, path in enumerate(scan.sources):
        with refusing(path):
            content = read_whole(path)
            if is_encrypted(content[:132]) or not looks_like_dicom(content[:132]):
                raise SourceMissing(f"{path.name}: is no DICOM file, so a DICOM segmentation cannot refer to it.")
            planar = read_planar_header(path)
            header = parse_whole(path, content)
            stored = decode(header, path, planar.frames)
            pixels, _ = as_counts(header, stored)
        headers.append(header)
        frames.append(planar.frames)
        # Older versions kept padding as stored.
        for planes in (pixels,) if pixels is stored else (pixels, stored):
            candidates += [_Candidate(file, frame, view, planes[frame]) for frame, view in planar.views.items()]
    size = candidates[0].counts.shape
    if any(candidate.counts.shape != size for candidate in candidates):
        raise SourceMissing(f"{scan.name}: its files have frames of different sizes, so its views cannot be found.")
    views: list[SourceView] = []
    for view, counts in zip(scan.views, scan.counts, strict=True):
        views.append(_find(scan, view, view.as_in_file(counts), candidates, views))
    return SourceImages(tuple(headers), tuple(frames), (size[0], size[1]), tuple(views))


class _Candidate(NamedTuple):
    file: int
    frame: int
    view: View
    counts: NDArray[np.generic]


def _find(
    scan: Scan,
    view: View,
    counts: NDArray[np.generic],
    candidates: Sequence[_Candidate],
    taken: Sequence[SourceView],
) -> SourceView:
    """Find the counts (y, x) of a view, in the file's orientation."""
    height, width = counts.shape
    # Two frames may hold the same counts; a frame with the view's name comes first.
    for candidate in sorted(candidates, key=lambda each: each.view.name is not view.name):
        rows, columns = candidate.counts.shape
        # The whole frame, or the halves that `scan_edits.split_side_by_side` makes of it, also if it was turned before.
        places: list[tuple[slice, slice]] = []
        if (rows, columns) == (height, width):
            places = [(slice(None), slice(0, columns))]
        elif (rows, columns // 2) == (height, width):
            places = [(slice(None), half) for half in (slice(0, width), slice(columns - width, columns))]
        elif (rows // 2, columns) == (height, width):
            places = [(half, slice(0, columns)) for half in (slice(0, height), slice(rows - height, rows))]
        for place in places:
            found = SourceView(candidate.file, candidate.frame + 1, place[1], view.flipped, view.turned, place[0])
            if found not in taken and any(np.array_equal(each, counts) for each in _as_seen(candidate, place, view)):
                return found
    raise SourceMissing(f"{scan.name}: the counts of its {view.name} view are not in {scan.sources[0].name}.")


def _as_seen(candidate: _Candidate, place: tuple[slice, slice], view: View) -> list[NDArray[np.generic]]:
    """The counts in a part of a frame as a view may show them; it may have been inverted before it was split."""
    part = candidate.counts[place]
    return [inverted(part), inverted(candidate.counts)[place]] if view.inverted else [part]
