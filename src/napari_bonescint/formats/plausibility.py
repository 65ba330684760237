"""Whether pixels can be counts of a planar scan, whichever format they came in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.formats.refusal import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SMALLEST_SIDE = 16
_LARGEST_SIDE = 8192


def require_possible_size(path: Path, rows: int, columns: int) -> None:
    """Refuse, before anything is decoded, a size that no planar scan has."""
    size = f"The image is {columns} x {rows} pixels"
    if min(rows, columns) < _SMALLEST_SIDE:
        raise Refusal(path, f"{size}, too small to show a skeleton.")
    if max(rows, columns) > _LARGEST_SIDE:
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
    if all(is_blank(view) for view in counts):
        content = "The file holds only zeros" if not counts.any() else "The file has one value in every pixel"
        raise Refusal(path, f"{content}, so there is no scan in it.")


def is_blank(view: NDArray[np.generic]) -> bool:
    """Whether a view of shape (y, x) has the same value everywhere."""
    return bool(view.min() == view.max())
