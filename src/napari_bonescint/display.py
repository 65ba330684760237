"""Display of bone scans: contrast, thumbnails and overlays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS, SKELETON_COLOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray


Window = tuple[float, float]
"""Counts shown as white, and as black."""

_OPACITY = 0.5
_MOST_LEVELS = 2**16


def contrast_limits(counts: NDArray[np.generic]) -> Window:
    """The window in which bone of a view (y, x) is easily seen.

    It follows the brightness of the body, not the brightest pixel: a hot bladder or injection site, which covers a few
    per cent of the body, would otherwise be the only black part of a white image.
    """
    levels, pixels = _histogram(counts)
    if not levels.size:
        return 0.0, 1.0
    is_body = levels > 0.1 * _quantile(levels, pixels, 0.95)
    return 0.0, 1.6 * _quantile(levels[is_body], pixels[is_body], 0.9)


def _histogram(counts: NDArray[np.generic]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The values above 0, ascending, and the number of pixels of each; sorting takes ten times as long as counting."""
    if counts.dtype.kind in "iu" and counts.max(initial=0) < _MOST_LEVELS:
        pixels = np.bincount(np.maximum(counts, 0).ravel())
        levels = np.flatnonzero(pixels[1:]) + 1
        return levels.astype(np.float64), pixels[levels]
    values = counts.astype(np.float64)
    return np.unique(values[np.isfinite(values) & (values > 0)], return_counts=True)


def _quantile(levels: NDArray[np.float64], pixels: NDArray[np.intp], part: float) -> float:
    """The quantile of all pixels, between two of them by linear interpolation."""
    upto = np.cumsum(pixels)
    last = int(upto[-1]) - 1
    rank = part * last
    lower = int(rank)
    below, above = levels[np.searchsorted(upto, (lower, min(lower + 1, last)), side="right")]
    return float(below + (rank - lower) * (above - below))


def dark_on_white(values: NDArray[np.generic], window: Window) -> NDArray[np.float32]:
    """Grey levels, from 255 (white) to 0, of counts in a window of `contrast_limits`."""
    low, high = window
    grey: NDArray[np.float32] = 255 * (1 - np.clip((values.astype(np.float32) - low) / (high - low), 0, 1))
    return grey


def thumbnail(counts: NDArray[np.generic], height: int) -> NDArray[np.uint8]:
    """A small picture (y, x) of a scan's counts (view, y, x), its views side by side, uptake dark on white.

    Blocks of pixels are averaged to reduce noise. The picture has at most `height` rows; a smaller scan is not
    enlarged.
    """
    step = max(1, -(-counts.shape[1] // height))
    views = []
    for view in counts:
        rows, columns = (side - side % step for side in view.shape)
        blocks = view[:rows, :columns].astype(np.float32).reshape(rows // step, step, columns // step, step)
        means = np.nan_to_num(blocks.mean(axis=(1, 3)))
        views.append(dark_on_white(means, contrast_limits(view)).round().astype(np.uint8))
    return np.hstack(views)


def overlay(counts: NDArray[np.generic], mask: NDArray[np.uint8], *, names_regions: bool) -> NDArray[np.uint8]:
    """The counts (y, x) of a view, uptake dark on white, with its mask in colours: red, green and blue (y, x, 3).

    The mask holds region codes if `names_regions`, or 1 for bone.
    """
    grey = dark_on_white(counts, contrast_limits(counts))
    colours = [region.colour for region in REGIONS] if names_regions else ["#000000", SKELETON_COLOUR]
    table = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], np.float32)
    opacity = _OPACITY * (mask > 0)[..., np.newaxis]
    rgb = (1 - opacity) * grey[..., np.newaxis] + opacity * table[mask]
    return np.asarray(rgb.round(), np.uint8)


def widened(window: Window, percent: float) -> Window:
    """A window with the same lower end and `percent` per cent of the width."""
    low, high = window
    return low, low + (high - low) * percent / 100
