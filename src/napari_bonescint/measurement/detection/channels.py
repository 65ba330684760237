"""Input of the network that finds hot spots: counts and regions of both views, on a coarse grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.corrections.tools.mirror import midline
from napari_bonescint.inference.preprocessing import normalise
from napari_bonescint.measurement.detection.region_normal import region_normals
from napari_bonescint.networks.widths import HOT_SPOT_CHANNELS
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.inference.preprocessing import Grid

_GROUPS: tuple[tuple[str, ...], ...] = (
    ("skull",),
    ("cervical_spine", "thoracic_spine", "lumbar_spine"),
    ("sacrum", "pelvis"),
    ("ribs", "sternum"),
    ("clavicle", "scapula"),
    ("humerus", "forearm", "hand"),
    ("femur",),
    ("lower_leg", "foot"),
)
_OF_VIEW = 6
_LOWEST, _HIGHEST = -2.0, 4.0
_BLUR_MM, _AROUND_MM = 5.0, 25.0
_UNEVEN_MM = 8.0
_MOST_DEVIATIONS = 5.0
_USUAL_DEVIATION = 0.6745

_GROUP_OF_CODE = np.full(len(REGIONS), -1, np.int8)
for _group, _names in enumerate(_GROUPS):
    _GROUP_OF_CODE[[CODES[name] for name in _names]] = _group


def sample_codes(grid: Grid, codes: NDArray[np.uint8], shape: tuple[int, int], samples: int = 1) -> NDArray[np.uint8]:
    """Codes (..., y, x) at evenly spaced samples of each coarse pixel: (..., samples * y, samples * x).

    `shape` is the shape (y, x) of the coarse image; with one sample, it is the pixel's centre.
    """
    rows, columns = (
        np.clip(
            (((np.arange(samples * n) + 0.5) / samples - n / 2) * grid.mm / mm + fine / 2).astype(np.int64), 0, fine - 1
        )
        for n, fine, mm in zip(shape, grid.shape, grid.spacing, strict=True)
    )
    sampled: NDArray[np.uint8] = codes[..., rows[:, None], columns]
    return sampled


def stack_channels(
    counts: NDArray[np.float32], codes: NDArray[np.uint8], names: Sequence[ViewName], grid_mm: float
) -> NDArray[np.float32]:
    """Input channels of each view, from counts and region codes (view, y, x) on the coarse grid.

    Returns
    -------
    ndarray of float32, shape (view, channel, y, x)
        Six channels of the view, see `_of_view`; the same of the opposite view, mirrored onto this one (0 without an
        opposite view); 1 in posterior views; the regions in eight groups.
    """
    seen = np.stack([_of_view(*view, grid_mm) for view in zip(counts, codes, strict=True)])
    channels = np.zeros((len(counts), HOT_SPOT_CHANNELS, *counts.shape[1:]), np.float32)
    channels[:, :_OF_VIEW] = seen
    for view, name in enumerate(names):
        if name.opposite in names:
            channels[view, _OF_VIEW : 2 * _OF_VIEW] = seen[list(names).index(name.opposite), :, :, ::-1]
        channels[view, 2 * _OF_VIEW] = name is ViewName.POSTERIOR
    groups = _GROUP_OF_CODE[codes]
    for group in range(len(_GROUPS)):
        channels[:, 2 * _OF_VIEW + 1 + group] = groups == group
    return channels


def without_opposite(channels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Channels (..., channel, y, x) of `stack_channels` as of a single view."""
    single = channels.copy()
    single[..., _OF_VIEW : 2 * _OF_VIEW, :, :] = 0
    return single


def _of_view(counts: NDArray[np.float32], codes: NDArray[np.uint8], grid_mm: float) -> NDArray[np.float32]:
    """Six channels (6, y, x) of a view from its counts and codes (y, x).

    The normalised counts; the logarithm (base 2) of counts over the normal of their region, as they are and smoothed
    within bone; that of smoothed counts over the mean of the bone around them; the difference of these two in standard
    deviations, for noise as large as this image's; the logarithm of smoothed counts over those at the same place on the
    other side, see `_opposite_side`. All but the first are 0 outside bone.
    """
    bone = codes > 0
    channels = np.zeros((_OF_VIEW, *counts.shape), np.float32)
    channels[0] = normalise(counts)
    if not bone.any():
        return channels
    smooth, around = (_mean_of_bone(counts, bone, mm / grid_mm) for mm in (_BLUR_MM, _AROUND_MM))
    normal = region_normals(counts, codes)[codes]
    least = 0.05 * max(float(normal.max()), 1e-6)
    # Poisson noise has the variance of the mean; smoothing and 8-bit pictures change the factor.
    noise = np.abs(counts - smooth)[bone] / np.sqrt(smooth[bone] + least)
    factor = float(np.median(noise)) / _USUAL_DEVIATION
    deviation = factor * np.sqrt(around + least) * grid_mm / (2 * np.sqrt(np.pi) * _BLUR_MM)
    usual, near = normal + least, around + least
    ratios = [(counts + least) / usual, (smooth + least) / usual, (smooth + least) / near]
    channels[1:4] = np.clip(np.log2(np.stack(ratios)), _LOWEST, _HIGHEST)
    deviations = (smooth - around) / np.maximum(deviation, 1e-6)
    channels[4] = np.clip(deviations / _MOST_DEVIATIONS, -1, 2)
    opposite = _opposite_side(np.where(bone, smooth, np.float32(0)), codes, grid_mm)
    unlike = np.log2((smooth + least) / (opposite + least))
    channels[5] = np.where(opposite > 0, np.clip(unlike, _LOWEST, _HIGHEST), 0)
    channels[1:, ~bone] = 0
    return channels


def _opposite_side(smooth: NDArray[np.float32], codes: NDArray[np.uint8], grid_mm: float) -> NDArray[np.float32]:
    """The highest smoothed counts of bone up to 8 mm from the place that is mirrored at the midline; 0 without bone."""
    mirrored = np.rint(2 * midline(codes)[:, None] - np.arange(codes.shape[1])).astype(np.intp)
    is_inside = (mirrored >= 0) & (mirrored < codes.shape[1])
    there = np.take_along_axis(smooth, np.where(is_inside, mirrored, 0), axis=1)
    highest: NDArray[np.float32] = ndimage.maximum_filter(
        np.where(is_inside, there, np.float32(0)), 2 * round(_UNEVEN_MM / grid_mm) + 1
    )
    return highest


def _mean_of_bone(counts: NDArray[np.float32], bone: NDArray[np.bool_], sigma: float) -> NDArray[np.float32]:
    """Mean of the bone around each pixel, with Gaussian weights."""
    weight = ndimage.gaussian_filter(bone.astype(np.float32), sigma)
    total = ndimage.gaussian_filter(np.where(bone, counts, np.float32(0)), sigma)
    return np.asarray(total / np.maximum(weight, np.float32(1e-6)), np.float32)
