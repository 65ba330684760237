"""Which pixels each lesion makes hotter, as a view sees it: the truth for finding and measuring lesions."""

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
"""A lesion's pixels are kept where it adds at least this share of what is counted there without it."""

_KINDS = tuple(LesionKind)


@dataclass(frozen=True)
class SeenLesion:
    """One lesion, in both views.

    Attributes
    ----------
    kind : LesionKind
    region : int
        Code of the region that it adds most tracer to.
    pixels : ndarray of int32, shape (k,)
        The pixels that it makes hotter by `LEAST_RATIO` or more: indices into the flattened (view, y, x).
    ratio : ndarray of float16, shape (k,)
        What it adds there over what is counted there without it, before noise.
    """

    kind: LesionKind
    region: int
    pixels: NDArray[np.int32]
    ratio: NDArray[np.float16]


def see_lesions(
    drawn: Sequence[Lesion],
    bones: PosedBones,
    body: Body,
    camera: Camera,
    gains: NDArray[np.float32],
    without: NDArray[np.float32],
) -> tuple[SeenLesion, ...]:
    """Find the pixels of each lesion that adds tracer.

    Parameters
    ----------
    drawn : sequence of Lesion
        Cold ones are left out.
    bones : PosedBones
    body : Body
    camera : Camera
    gains : ndarray of float32, shape (view, y, x)
        The detectors' sensitivity, 0 beyond their field.
    without : ndarray of float32, shape (view, y, x)
        Expected counts of all but metastases, fractures and Paget's disease; worn joints are part of them.
    """
    seen = []
    for lesion in drawn:
        if lesion.added.sum() <= 0:
            continue
        volume = bones.points.volume[lesion.points]
        own = camera.expose(bones.position[lesion.points], np.maximum(lesion.added, 0) * volume, body) * gains
        rest = without - own if lesion.kind is LesionKind.JOINT else without
        hotter = own > LEAST_RATIO * np.maximum(rest, 1e-9 * float(without.max()))
        pixels = np.flatnonzero(hotter).astype(np.int32)
        ratio = own.ravel()[pixels] / np.maximum(rest.ravel()[pixels], 1e-3 * own.max())
        weight = np.bincount(bones.points.region[lesion.points], weights=lesion.added * volume)
        seen.append(SeenLesion(lesion.kind, int(weight.argmax()), pixels, np.minimum(ratio, 6e4).astype(np.float16)))
    return tuple(seen)


def pack(lesions: Sequence[SeenLesion]) -> dict[str, NDArray[np.generic]]:
    """Lesions as a few arrays, for a NumPy archive; `unpack` reads them."""
    none = SeenLesion(LesionKind.JOINT, 0, np.zeros(0, np.int32), np.zeros(0, np.float16))
    return {
        "lesion_kind": np.array([_KINDS.index(lesion.kind) for lesion in lesions], np.uint8),
        "lesion_region": np.array([lesion.region for lesion in lesions], np.uint8),
        "lesion_size": np.array([len(lesion.pixels) for lesion in lesions], np.int64),
        "lesion_pixels": np.concatenate([lesion.pixels for lesion in (none, *lesions)]),
        "lesion_ratio": np.concatenate([lesion.ratio for lesion in (none, *lesions)]),
    }


def unpack(arrays: Mapping[str, NDArray[np.generic]]) -> tuple[SeenLesion, ...]:
    """What `pack` made arrays of."""
    ends = np.cumsum(arrays["lesion_size"])[:-1]
    kinds, regions = arrays["lesion_kind"], arrays["lesion_region"]
    parts = zip(np.split(arrays["lesion_pixels"], ends), np.split(arrays["lesion_ratio"], ends), strict=True)
    return tuple(
        SeenLesion(_KINDS[int(kind)], int(region), pixels, ratio)
        for kind, region, (pixels, ratio) in zip(kinds, regions, parts, strict=False)
    )
