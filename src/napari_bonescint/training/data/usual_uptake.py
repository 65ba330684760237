"""Random uptake of healthy bone where scans of patients differ: joints, manubrium, spine, iliac bodies, rims of bones.

A network that sees only the simulator's own normal uptake takes such places for lesions in other scans. The drawn gains
are alike on both sides and in both views, because uptake that is there is rarely a metastasis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MEETINGS: tuple[tuple[str, str], ...] = (
    ("sacrum", "pelvis"),
    ("lumbar_spine", "sacrum"),
    ("pelvis", "femur"),
    ("scapula", "humerus"),
    ("clavicle", "scapula"),
    ("clavicle", "sternum"),
    ("cervical_spine", "thoracic_spine"),
    ("skull", "cervical_spine"),
    ("humerus", "forearm"),
    ("forearm", "hand"),
    ("femur", "lower_leg"),
    ("lower_leg", "foot"),
    ("ribs", "sternum"),
    ("thoracic_spine", "lumbar_spine"),
)
_SHARE_OF_MEETINGS = 0.5
_MEETING_SIGMA = (2.0, 7.0)
_RIMMED = ("pelvis", "scapula", "skull", "sacrum", "sternum", "femur")
_SHARE_OF_RIMS = 0.4
_RIM_DEPTH = (1.5, 5.0)
_SPINE = ("cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum")
_SHARE_OF_SPINES, _SPINE_SPREAD = 0.7, 0.3
_SPINE_SIGMA = (2.0, 25.0)
_SHARE_OF_BANDS, _BANDS_APART, _BANDS_UNEVEN = 0.5, (3.5, 8.0), 0.1
_MIDLINE_WIDTH = (1.0, 6.0)
_SHARE_OF_MANUBRIA, _MANUBRIUM_ENDS = 0.7, (0.22, 0.5)
_SHARE_OF_ILIAC_BODIES, _ILIAC_SIGMA = 0.6, (1.5, 4.5)
_GAIN_MEAN, _GAIN_SPREAD, _MOST = 0.3, 0.5, 1.4
_UNLIKE_VIEWS = 0.25
_COARSER = 2


def vary_usual(mean: NDArray[np.float32], regions: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Vary the uptake of the places where that of healthy bone differs most.

    Parameters
    ----------
    mean : ndarray of float32, shape (view, y, x)
        Expected counts.
    regions : ndarray of uint8, shape (view, y, x)
        True region codes.
    rng : Generator
    """
    varied = np.empty_like(mean)
    seed = int(rng.integers(2**31))
    for view, codes in enumerate(regions):
        coarse = codes[::_COARSER, ::_COARSER]
        # Both views draw the same gains; what lies deep is fainter in one of them.
        gain = _gain(coarse, np.random.default_rng(seed), rng)
        factor = np.exp(gain).repeat(_COARSER, 0).repeat(_COARSER, 1)[: codes.shape[0], : codes.shape[1]]
        varied[view] = mean[view] * factor
    return varied


def _gain(codes: NDArray[np.uint8], common: np.random.Generator, own: np.random.Generator) -> NDArray[np.float32]:
    """Logarithm of the gain of each pixel (y, x) of a coarse view."""
    gain = np.zeros(codes.shape, np.float32)

    def level() -> float:
        drawn = common.normal(_GAIN_MEAN, _GAIN_SPREAD)
        return float(np.clip(drawn * np.exp(own.normal(0, _UNLIKE_VIEWS)), -_MOST, _MOST))

    for one, other in _MEETINGS:
        is_varied, sigma, strength = common.random() < _SHARE_OF_MEETINGS, common.uniform(*_MEETING_SIGMA), level()
        if is_varied:
            _add_near(gain, _meeting(codes, one, other), sigma, strength)
    for name in _RIMMED:
        is_varied, depth, strength = common.random() < _SHARE_OF_RIMS, common.uniform(*_RIM_DEPTH), level()
        if is_varied:
            _add_to_rim(gain, codes == CODES[name], depth, strength)
    is_varied, sigma, spread = common.random() < _SHARE_OF_SPINES, common.uniform(*_SPINE_SIGMA), level()
    profile = ndimage.gaussian_filter1d(common.normal(size=1024), sigma)[: len(codes)]
    spine = np.isin(codes, [CODES[name] for name in _SPINE])
    if is_varied:
        gain += spine * (_SPINE_SPREAD * abs(spread) / 0.4 * profile / profile.std()).astype(np.float32)[:, None]
    is_varied, apart, strength = common.random() < _SHARE_OF_BANDS, common.uniform(*_BANDS_APART), level()
    phase = common.uniform(0, 2 * np.pi) + np.cumsum(2 * np.pi / apart * common.normal(1, _BANDS_UNEVEN, len(codes)))
    width = common.uniform(*_MIDLINE_WIDTH)
    if is_varied:
        _add_bands(gain, spine, strength * np.cos(phase), width)
    is_varied, end, strength = common.random() < _SHARE_OF_MANUBRIA, common.uniform(*_MANUBRIUM_ENDS), level()
    rows = np.flatnonzero((codes == CODES["sternum"]).any(axis=1))
    if is_varied and len(rows):
        below = np.arange(len(codes)) - (rows[0] + end * (rows[-1] - rows[0]))
        step = 1 / (1 + np.exp(np.clip(below / 1.5, -30, 30)))
        gain += (codes == CODES["sternum"]) * (strength * step).astype(np.float32)[:, None]
    is_varied, sigma, strength = common.random() < _SHARE_OF_ILIAC_BODIES, common.uniform(*_ILIAC_SIGMA), level()
    if is_varied:
        _add_to_iliac_bodies(gain, codes, sigma, strength)
    # A camera shows no sharp steps.
    blurred: NDArray[np.float32] = ndimage.gaussian_filter(gain, 1.0)
    return blurred


def _meeting(codes: NDArray[np.uint8], one: str, other: str) -> NDArray[np.bool_]:
    """Pixels (y, x) where two bones meet."""
    first, second = codes == CODES[one], codes == CODES[other]
    if not (first.any() and second.any()):
        return np.zeros(codes.shape, bool)
    return ndimage.binary_dilation(first, iterations=2) & ndimage.binary_dilation(second, iterations=2)


def _add_near(gain: NDArray[np.float32], place: NDArray[np.bool_], sigma: float, strength: float) -> None:
    """Add a strength to a gain (y, x), which falls off with the distance from a place."""
    window = _window(place, int(3 * sigma) + 1)
    if window is not None:
        distance = ndimage.distance_transform_edt(~place[window])
        gain[window] += (strength * np.exp(-0.5 * (distance / sigma) ** 2)).astype(np.float32)


def _add_to_rim(gain: NDArray[np.float32], bone: NDArray[np.bool_], depth: float, strength: float) -> None:
    """Add a strength to a gain (y, x) along the outline of a bone, to some depth."""
    window = _window(bone, 2)
    if window is not None:
        inside = ndimage.distance_transform_edt(bone[window])
        gain[window] += np.where(inside > 0, strength * np.exp(-(inside - 1) / depth), 0).astype(np.float32)


def _add_bands(gain: NDArray[np.float32], spine: NDArray[np.bool_], along: NDArray[np.float64], width: float) -> None:
    """Add a strength for each row to a gain (y, x), most along the middle of the spine: vertebrae and their spines."""
    columns = np.arange(spine.shape[1])
    pixels = spine.sum(axis=1)
    middle = (spine @ columns) / np.maximum(pixels, 1)
    across = np.exp(-0.5 * ((columns - middle[:, None]) / width) ** 2)
    gain += (spine * along[:, None] * across).astype(np.float32)


def _add_to_iliac_bodies(gain: NDArray[np.float32], codes: NDArray[np.uint8], sigma: float, strength: float) -> None:
    """Add a strength to a gain (y, x) along the thick lower part of both iliac bones, from the sacrum to the hip."""
    pelvis = codes == CODES["pelvis"]
    joints, hips = _meeting(codes, "sacrum", "pelvis"), _meeting(codes, "pelvis", "femur")
    sacrum = np.nonzero(codes == CODES["sacrum"])[1]
    if not (len(sacrum) and joints.any() and hips.any()):
        return
    middle = float(np.median(sacrum))
    for side in (-1, 1):
        ends = [np.argwhere(place & (side * (np.arange(codes.shape[1]) - middle) > 0)) for place in (joints, hips)]
        if not all(map(len, ends)):
            continue
        start, stop = (points.mean(axis=0) for points in ends)
        at = np.argwhere(pelvis)
        along = np.clip((at - start) @ (stop - start) / max(float((stop - start) @ (stop - start)), 1e-6), 0, 1)
        away = np.linalg.norm(at - start - along[:, None] * (stop - start), axis=1)
        gain[at[:, 0], at[:, 1]] += (strength * np.exp(-0.5 * (away / sigma) ** 2)).astype(np.float32)


def _window(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice] | None:
    """The rows and columns of a mask (y, x) and a margin; None if it is empty."""
    found = ndimage.find_objects(mask.astype(np.uint8))
    if not found:
        return None
    down, across = (slice(max(0, at.start - margin), at.stop + margin) for at in found[0])
    return down, across
