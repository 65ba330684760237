"""Checks that pixels can be counts of a planar scan, for all formats."""

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
    """Refuse an image size that no planar scan has; called before anything is decoded."""
    if min(rows, columns) < _SMALLEST_SIDE:
        raise Refusal(path, f"The image is {columns} x {rows} pixels, too small to show a skeleton.")
    require_not_too_large(path, rows, columns)


def require_not_too_large(path: Path, rows: int, columns: int) -> None:
    """Refuse an image size above that of any planar scan; called before anything is decoded."""
    if max(rows, columns) > _LARGEST_SIDE:
        most = f"at most {_LARGEST_SIDE} a side"
        raise Refusal(path, f"The image is {columns} x {rows} pixels, larger than any planar scan ({most}).")


def require_counts(path: Path, counts: NDArray[np.generic]) -> None:
    """Refuse pixels (view, y, x) that cannot be counts: not finite, negative, or equal in every pixel of every view."""
    if not np.isfinite(counts).all():
        raise Refusal(path, "The file has pixels that are not numbers (NaN or infinite); export it again.")
    if counts.min() < 0:
        raise Refusal(path, "The file has negative pixels, so they are not counts; export the image as acquired.")
    if all(_is_blank(view) for view in counts):
        content = "The file holds only zeros" if not counts.any() else "The file has one value in every pixel"
        raise Refusal(path, f"{content}, so there is no scan in it.")


def without_blank_views(scan: Scan) -> Scan:
    """Remove a view with one value in every pixel, if the other view is not so, and add a warning."""
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
