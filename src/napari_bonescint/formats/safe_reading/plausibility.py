"""Whether pixels can be counts of a planar scan, whichever format they came in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

_SMALLEST_SIDE = 16
_LARGEST_SIDE = 8192


def require_possible_size(path: Path, rows: int, columns: int) -> None:
    """Refuse, before anything is decoded, a size that no planar scan has."""
    if min(rows, columns) < _SMALLEST_SIDE:
        raise Refusal(path, f"The image is {columns} x {rows} pixels, too small to show a skeleton.")
    require_not_too_large(path, rows, columns)


def require_not_too_large(path: Path, rows: int, columns: int) -> None:
    """Refuse, before anything is decoded, a size that takes more memory than any planar scan."""
    if max(rows, columns) > _LARGEST_SIDE:
        size = f"The image is {columns} x {rows} pixels"
        raise Refusal(path, f"{size}, larger than any planar scan (at most {_LARGEST_SIDE} a side).")


def require_counts(path: Path, counts: NDArray[np.generic]) -> None:
    """Refuse values that cannot be counts: not numbers, negative, or the same in every pixel of every view.

    Parameters
    ----------
    path : Path
        The file, for the refusal.
    counts : ndarray of shape (view, y, x)
        Pixels of any real dtype.
    """
    if not np.isfinite(counts).all():
        raise Refusal(path, "The file has pixels that are not numbers (NaN or infinite); export it again.")
    if counts.min() < 0:
        raise Refusal(path, "The file has negative pixels, so they are not counts; export the image as acquired.")
    if all(_is_blank(view) for view in counts):
        content = "The file holds only zeros" if not counts.any() else "The file has one value in every pixel"
        raise Refusal(path, f"{content}, so there is no scan in it.")


def without_blank_views(scan: Scan) -> Scan:
    """Leave out a view that has the same value everywhere beside one that has not, and say so."""
    filled = [i for i, counts in enumerate(scan.counts) if not _is_blank(counts)]
    if len(filled) == len(scan.views):
        return scan
    blank = [f"The {view.name} view is blank and was left out." for i, view in enumerate(scan.views) if i not in filled]
    return replace(
        scan,
        counts=scan.counts[filled],
        views=tuple(scan.views[i] for i in filled),
        warnings=(*scan.warnings, *blank),
    )


def _is_blank(counts: NDArray[np.generic]) -> bool:
    return bool(counts.min() == counts.max())
