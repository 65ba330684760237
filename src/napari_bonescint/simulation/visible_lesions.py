"""Find the pixels that each lesion makes hotter in the views: the truth for finding and measuring lesions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.simulation.pathology import LesionKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.simulation.body import Body
    from napari_bonescint.simulation.camera import Camera
    from napari_bonescint.simulation.pathology import Lesion
    from napari_bonescint.simulation.posed import PosedBones

LEAST_RATIO = 0.1
"""A pixel belongs to a lesion if the lesion's counts, relative to all other counts there, reach this ratio."""

_KINDS = tuple(LesionKind)


@dataclass(frozen=True)
class VisibleLesion:
    """One lesion, in both views: its kind, and the code of the region with most of its tracer.

    `pixels` (int32, k) are indices into the flattened (view, y, x). `ratio` (float16, k), at least `LEAST_RATIO`, is
    the lesion's counts relative to the other counts there, without noise. `number` is that of the lesion in its body,
    the same at all visits.
    """

    kind: LesionKind
    region: int
    pixels: NDArray[np.int32]
    ratio: NDArray[np.float16]
    number: int = 0


def find_visible_lesions(
    drawn: Sequence[Lesion],
    bones: PosedBones,
    body: Body,
    camera: Camera,
    gains: NDArray[np.float32],
    without: NDArray[np.float32],
) -> tuple[VisibleLesion, ...]:
    """Find the pixels of each lesion that adds tracer; cold lesions are left out.

    `gains` (view, y, x) is the sensitivity of the detectors, 0 outside their field. `without` (view, y, x) is the
    expected counts of everything but metastases, fractures and Paget's disease; worn joints are included.
    """
    seen = []
    for number, lesion in enumerate(drawn):
        if lesion.added.sum() <= 0:
            continue
        volume = bones.points.volume[lesion.points]
        own = camera.expose(bones.position[lesion.points], np.maximum(lesion.added, 0) * volume, body) * gains
        rest = without - own if lesion.kind is LesionKind.JOINT else without
        hotter = own > LEAST_RATIO * np.maximum(rest, 1e-9 * float(without.max()))
        pixels = np.flatnonzero(hotter).astype(np.int32)
        ratio = own.ravel()[pixels] / np.maximum(rest.ravel()[pixels], 1e-3 * own.max())
        weight = np.bincount(bones.points.region[lesion.points], weights=lesion.added * volume)
        visible = np.minimum(ratio, 6e4).astype(np.float16)
        seen.append(VisibleLesion(lesion.kind, int(weight.argmax()), pixels, visible, number))
    return tuple(seen)


def pack(lesions: Sequence[VisibleLesion]) -> dict[str, NDArray[np.generic]]:
    """Convert lesions to a few arrays, for a NumPy archive; `unpack` reads them."""
    none = VisibleLesion(LesionKind.JOINT, 0, np.zeros(0, np.int32), np.zeros(0, np.float16))
    return {
        "lesion_kind": np.array([_KINDS.index(lesion.kind) for lesion in lesions], np.uint8),
        "lesion_region": np.array([lesion.region for lesion in lesions], np.uint8),
        "lesion_number": np.array([lesion.number for lesion in lesions], np.int32),
        "lesion_size": np.array([len(lesion.pixels) for lesion in lesions], np.int64),
        "lesion_pixels": np.concatenate([lesion.pixels for lesion in (none, *lesions)]),
        "lesion_ratio": np.concatenate([lesion.ratio for lesion in (none, *lesions)]),
    }


def unpack(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[VisibleLesion, ...]:
    """Read the lesions that `pack` converted; older files number them in their order."""
    ends = np.cumsum(arrays["lesion_size"])[:-1]
    kinds, regions = arrays["lesion_kind"], arrays["lesion_region"]
    numbers = arrays["lesion_number"] if "lesion_number" in arrays else np.arange(len(kinds))
    parts = zip(np.split(arrays["lesion_pixels"], ends), np.split(arrays["lesion_ratio"], ends), strict=True)
    return tuple(
        VisibleLesion(_KINDS[int(kind)], int(region), pixels, ratio, int(number))
        for kind, region, number, (pixels, ratio) in zip(kinds, regions, numbers, parts, strict=False)
    )
