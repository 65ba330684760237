"""Input of the network that finds hot spots: counts and regions of both views, on a coarse grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
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
_OF_VIEW = 2
_LOWEST, _HIGHEST = -2.0, 4.0

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
    counts: NDArray[np.float32], codes: NDArray[np.uint8], names: Sequence[ViewName]
) -> NDArray[np.float32]:
    """Input channels of each view, from counts and region codes (view, y, x) on the coarse grid.

    Returns
    -------
    ndarray of float32, shape (view, channel, y, x)
        The view's normalised counts, and the logarithm (base 2) of its counts over the normal of their region; both for
        the opposite view, mirrored onto this one (0 without an opposite view); 1 in posterior views; the regions in
        eight groups.
    """
    seen = np.stack([_of_view(*view) for view in zip(counts, codes, strict=True)])
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


def _of_view(counts: NDArray[np.float32], codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Normalised counts, and the logarithm of counts over the normal of their region: (2, y, x)."""
    normal = region_normals(counts, codes)[codes]
    least = 0.05 * max(float(normal.max()), 1e-6)
    ratio = np.log2((counts + least) / (normal + least))
    return np.stack([normalise(counts), np.where(codes > 0, np.clip(ratio, _LOWEST, _HIGHEST), 0)])
