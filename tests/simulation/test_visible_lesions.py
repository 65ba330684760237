from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.camera import Camera
from napari_bonescint.simulation.pathology import Lesion, LesionKind
from napari_bonescint.simulation.visible_lesions import LEAST_RATIO, find_visible_lesions, pack, unpack

if TYPE_CHECKING:
    from napari_bonescint.simulation.body import Body
    from napari_bonescint.simulation.posed import PosedBones


@pytest.fixture
def camera(bones: PosedBones) -> Camera:
    low, high = bones.position.min(axis=0), bones.position.max(axis=0)
    return Camera((512, 256), 4.0, float(low[0] + high[0]) / 2 - 512, float(high[2]) + 40)


def femur_head(bones: PosedBones, added: float, kind: LesionKind = LesionKind.METASTASIS) -> Lesion:
    femur = bones.indices("femur", "left")
    near = femur[np.linalg.norm(bones.position[femur] - bones.hip("left"), axis=1) < 15]
    return Lesion(kind, near, np.full(len(near), added, np.float32))


def test_a_hot_femoral_head_is_seen_where_it_lies_in_both_views(bones: PosedBones, body: Body, camera: Camera) -> None:
    gains = np.ones((2, *camera.shape), np.float32)
    (seen,) = find_visible_lesions([femur_head(bones, 5.0)], bones, body, camera, gains, gains * 30)
    assert (seen.kind, seen.region) == (LesionKind.METASTASIS, CODES["femur"])
    view, row, column = np.unravel_index(seen.pixels, gains.shape)
    assert set(view) == {0, 1}
    hip = bones.hip("left")
    expected = (hip[0] - camera.left_mm) / camera.pixel_mm - 0.5
    for number, x in ((0, expected), (1, 255 - expected)):
        assert column[view == number].mean() == pytest.approx(x, abs=2)
        assert row[view == number].mean() == pytest.approx((camera.top_mm - hip[2]) / camera.pixel_mm - 0.5, abs=3)
    assert seen.ratio.min() >= LEAST_RATIO * 0.99


def test_cold_lesions_and_those_beyond_the_field_are_not_hotter(bones: PosedBones, body: Body, camera: Camera) -> None:
    gains = np.ones((2, *camera.shape), np.float32)
    assert find_visible_lesions([femur_head(bones, -1.0)], bones, body, camera, gains, gains) == ()
    (beyond,) = find_visible_lesions([femur_head(bones, 5.0)], bones, body, camera, gains * 0, gains)
    assert len(beyond.pixels) == 0


def test_lesions_survive_packing(bones: PosedBones, body: Body, camera: Camera) -> None:
    gains = np.ones((2, *camera.shape), np.float32)
    drawn = [femur_head(bones, 5.0), femur_head(bones, 2.0, LesionKind.PAGET)]
    seen = find_visible_lesions(drawn, bones, body, camera, gains, gains * 30)
    again = unpack(pack(seen))
    assert [(each.kind, each.region, len(each.pixels)) for each in again] == [
        (each.kind, each.region, len(each.pixels)) for each in seen
    ]
    np.testing.assert_array_equal(again[1].ratio, seen[1].ratio)
    assert [each.number for each in again] == [0, 1]
    older = {name: array for name, array in pack(seen).items() if name != "lesion_number"}
    assert [each.number for each in unpack(older)] == [0, 1]
    assert unpack(pack(())) == ()
