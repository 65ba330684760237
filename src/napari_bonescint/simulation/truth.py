"""True masks: the pixels that show bone, and their region, by geometry only, without lesions or blur.

A pixel is bone if the attenuation-weighted path through bone in its view exceeds 2 mm of bone, or 1 mm in pelvis,
sacrum and scapula; it belongs to the region that contributes most. Forearm, hand, lower leg and foot are closed
outlines. Discs and joint spaces between bones count as bone, since they are invisible on a scan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from skimage.morphology import remove_small_objects

from napari_bonescint.anatomy import CODES, OUTLINED, REGIONS
from napari_bonescint.simulation.camera import ATTENUATION_PER_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.body import Body
    from napari_bonescint.simulation.camera import Camera
    from napari_bonescint.simulation.geometry import BonePoints

_PATH_MM = 2.0
_FLAT_PATH_MM = 1.0
_FLAT = ("pelvis", "sacrum", "scapula")
_GAP_MM = 24.0
_SPECK_MM2 = 60.0
_SMOOTH_MM = 1.5
_JOINT_MM = 24.0
_SHOULDER_MM = 84.0
_DRAWN_OVER = 4.0
_SEEN_FROM_THE_FRONT_ONLY = ("sternum", "patella")
_CHAINS = (
    ("skull", "cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum"),
    ("humerus", "forearm", "hand"),
    ("femur", "lower_leg", "foot"),
)


def true_regions(
    points: BonePoints, position: NDArray[np.float32], left: NDArray[np.bool_], body: Body, camera: Camera
) -> NDArray[np.uint8]:
    """Region codes (2, y, x) of both views, anterior first, each as its camera sees it.

    `position` (n, 3) are the posed points in mm; `left` (n,) marks those of the patient's left side.
    """
    views = []
    outlined = [CODES[name] for name in OUTLINED]
    # The sides are separate planes, because a closed outline must not join two legs.
    plane = points.region.astype(np.int64)
    for extra, code in enumerate(outlined):
        plane[left & (points.region == code)] = len(REGIONS) + extra
    in_front = [index for index, name in enumerate(points.pieces) if name.startswith(_SEEN_FROM_THE_FRONT_ONLY)]
    blade = _is_blade(points, position, left)
    for mirrored, depth in enumerate(body.depths(position)):
        weight = points.volume * np.exp(-ATTENUATION_PER_MM * depth)
        weight = np.where(np.isin(points.piece, in_front) if mirrored else blade, 0, weight)
        paths = camera.project_points(position, weight.astype(np.float32), plane, len(REGIONS) + len(OUTLINED))
        paths = ndimage.gaussian_filter(paths, (0, *[_SMOOTH_MM / camera.pixel_mm] * 2)) / camera.pixel_mm**2
        path = paths[: len(REGIONS)].copy()
        path[outlined] += paths[len(REGIONS) :]
        threshold = np.full(len(REGIONS), _PATH_MM)
        threshold[[CODES[name] for name in _FLAT]] = _FLAT_PATH_MM
        # The posterior view shows the whole scapula over the ribs, and the anterior view the whole sternum.
        drawn_over = np.arange(len(REGIONS)) == CODES["scapula" if mirrored else "sternum"]
        region = (path * np.where(drawn_over, _DRAWN_OVER, 1.0)[:, None, None]).argmax(axis=0)
        bone = path.sum(axis=0) > threshold[region]
        codes = np.where(bone, region, 0).astype(np.uint8)
        for extra, code in enumerate(outlined):
            for side in (paths[code], paths[len(REGIONS) + extra]):
                _close_outline(codes, (side > _PATH_MM) & (codes == code), code, round(_GAP_MM / 2 / camera.pixel_mm))
        _bridge_joints(codes, round(_JOINT_MM / 2 / camera.pixel_mm))
        kept = remove_small_objects(codes > 0, max_size=round(_SPECK_MM2 / camera.pixel_mm**2))
        codes[~kept] = 0
        views.append(codes[:, ::-1] if mirrored else codes)
    return np.stack(views)


def _is_blade(points: BonePoints, position: NDArray[np.float32], left: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark points (n,) of the scapular blades, hidden by ribs in front; not acromion, coracoid and glenoid."""
    blade = np.zeros(len(left), bool)
    scapula, humerus = (points.region == CODES[name] for name in ("scapula", "humerus"))
    for side in (left, ~left):
        own, upper_arm = scapula & side, position[humerus & side]
        if not own.any() or len(upper_arm) == 0:
            continue
        head = upper_arm[upper_arm[:, 2] > np.quantile(upper_arm[:, 2], 0.93)].mean(axis=0)
        blade[own] = np.linalg.norm(position[own] - head, axis=1) > _SHOULDER_MM
    return blade


def _close_outline(codes: NDArray[np.uint8], mask: NDArray[np.bool_], code: int, radius: int) -> None:
    """Fill gaps between the paired bones or the fingers on one side of a region, by changing `codes`."""
    if not mask.any():
        return
    rows, columns = np.nonzero(mask)
    window = tuple(slice(max(0, v.min() - radius), v.max() + radius + 1) for v in (rows, columns))
    ball: NDArray[np.bool_] = np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) <= radius
    closed = ndimage.binary_closing(np.pad(mask[window], radius), ball)[radius:-radius, radius:-radius]
    closed = ndimage.binary_fill_holes(closed)
    part = codes[window]
    part[closed & (part == 0)] = code


def _bridge_joints(codes: NDArray[np.uint8], reach: int) -> None:
    """Fill gaps along the body between bones that meet at a joint, by changing `codes`."""
    line = np.ones((2 * reach + 1, 1), bool)
    for chain in _CHAINS:
        mask = np.isin(codes, [CODES[name] for name in chain])
        gap = ndimage.binary_closing(np.pad(mask, ((reach, reach), (0, 0))), line)[reach:-reach] & (codes == 0)
        nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
        codes[gap] = codes[tuple(nearest)][gap]
