"""Clean masks: remove small isolated pieces and thin bridges into soft tissue, fill holes in closed outlines.

The limits come from true masks of simulated scans; `benchmarks/crumbs_and_spurs.py` measures them and the Dice lost by
cleaning. In true masks, isolated pieces are ribs, fingers or ends of clavicles, or much larger than `_LEAST_MM2`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import CODES, OUTLINED, REGIONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

_LEAST_MM2 = 300.0
_LEAST_OF_SMALL_BONES_MM2 = 60.0
_SMALL_BONES = ("ribs", "clavicle", "scapula", "sternum", "forearm", "hand", "foot")
_STOUT_BONES = ("skull", "thoracic_spine", "lumbar_spine", "sacrum", "pelvis", "humerus", "femur", "lower_leg")
_LARGEST_HOLE_MM2 = 3000.0
_SPUR_HALF_WIDTH_MM = 5.0
_LEAST_SPUR_MM2 = 30.0
_NEIGHBOURS = np.ones((3, 3), bool)


def clean_regions(codes: NDArray[np.uint8], spacing: Spacing) -> NDArray[np.uint8]:
    """Remove spurs on stout bones and small isolated pieces from region codes, and fill closed outlines.

    Parameters
    ----------
    codes : ndarray of uint8, shape (y, x)
    spacing : (float, float)
        Pixel size (y, x) in mm.

    Returns
    -------
    ndarray of uint8, shape (y, x)
        A copy. Spurs and small pieces become background. Holes in forearm, hand, lower leg and foot become bone:
        these masks are closed outlines by definition. No pixel changes from one bone to another.
    """
    cleaned = codes.copy()
    window = _around(codes)
    if window is None:
        return cleaned
    part = cleaned[window]
    part[_spurs(part, spacing)] = 0
    least = np.full(len(REGIONS), _LEAST_MM2)
    least[[CODES[name] for name in _SMALL_BONES]] = _LEAST_OF_SMALL_BONES_MM2
    part[_crumbs(part, spacing, least)] = 0
    for name in OUTLINED:
        _fill(part, CODES[name], spacing)
    return cleaned


def clean_skeleton(mask: NDArray[np.uint8], spacing: Spacing) -> NDArray[np.uint8]:
    """Remove isolated pieces smaller than any bone from a mask (y, x) of 0 and 1."""
    cleaned = mask.copy()
    cleaned[_crumbs(mask, spacing, np.full(2, _LEAST_OF_SMALL_BONES_MM2))] = 0
    return cleaned


def _around(codes: NDArray[np.generic]) -> tuple[slice, slice] | None:
    """Rows and columns that hold bone, with a margin of one pixel; None if there is no bone."""
    rows, columns = (np.flatnonzero(codes.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return None
    return (
        slice(max(0, int(rows[0]) - 1), int(rows[-1]) + 2),
        slice(max(0, int(columns[0]) - 1), int(columns[-1]) + 2),
    )


def _spurs(codes: NDArray[np.uint8], spacing: Spacing) -> NDArray[np.bool_]:
    """Pixels of stout bones where the bone, with its neighbours, is narrower than a stout bone can be."""
    reach = [int(_SPUR_HALF_WIDTH_MM / mm) for mm in spacing]
    y, x = np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    disc = np.hypot(y * spacing[0], x * spacing[1]) <= _SPUR_HALF_WIDTH_MM
    bone = codes > 0
    # Bones continue beyond the border of the image.
    beyond = [2 * n for n in reach]
    opened = ndimage.binary_opening(np.pad(bone, [(n, n) for n in beyond], mode="edge"), disc)
    opened = opened[beyond[0] : beyond[0] + bone.shape[0], beyond[1] : beyond[1] + bone.shape[1]]
    narrow = bone & ~opened & np.isin(codes, [CODES[name] for name in _STOUT_BONES])
    pieces, number = ndimage.label(narrow, _NEIGHBOURS)
    large = np.bincount(pieces.ravel(), minlength=number + 1) * (spacing[0] * spacing[1]) >= _LEAST_SPUR_MM2
    spurs: NDArray[np.bool_] = large[pieces] & narrow
    return spurs


def _fill(codes: NDArray[np.uint8], code: int, spacing: Spacing) -> None:
    """Fill background enclosed by one bone, in place, except areas as large as the space between two legs."""
    own = codes == code
    window = _around(own)
    if window is None:
        return
    outside, number = ndimage.label(np.pad(~own[window], 1, constant_values=True))
    hole = np.bincount(outside.ravel(), minlength=number + 1) * (spacing[0] * spacing[1]) <= _LARGEST_HOLE_MM2
    # Piece 1 is the background around the bone.
    hole[:2] = False
    part = codes[window]
    part[hole[outside[1:-1, 1:-1]] & (part == 0)] = code


def _crumbs(codes: NDArray[np.uint8], spacing: Spacing, least_mm2: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Isolated pieces smaller than the least area (codes,), in mm2, of the bone that most of their pixels are."""
    pieces, number = ndimage.label(codes > 0, _NEIGHBOURS)
    of_code = np.bincount(pieces.ravel() * len(least_mm2) + codes.ravel(), minlength=(number + 1) * len(least_mm2))
    of_code = of_code.reshape(number + 1, len(least_mm2))
    small = of_code.sum(axis=1) * (spacing[0] * spacing[1]) < least_mm2[of_code.argmax(axis=1)]
    small[0] = False
    crumbs: NDArray[np.bool_] = small[pieces]
    return crumbs
