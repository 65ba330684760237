from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from napari_bonescint.anatomy import CODES
from napari_bonescint.measurement.comparison.registration import LEAST_OVERLAP, Part, register
from napari_bonescint.scan import View, ViewName

VIEWS = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR))


def moved(regions, matrix, offset):
    """Regions (view, y, x) of which place p shows what was at `matrix` p + `offset`."""
    return np.stack([ndimage.affine_transform(plane, matrix, offset, order=0) for plane in regions])


@pytest.mark.parametrize(
    ("matrix", "offset"),
    [
        ([[1, 0], [0, 1]], (0, 0)),
        ([[1, 0], [0, 1]], (-14, 9)),
        ([[0.9, 0], [0, 1.05]], (10, -5)),
        ([[1, 0.08], [-0.08, 1]], (-6, 12)),
    ],
)
def test_bones_are_found_where_they_went(body, matrix, offset):
    new = moved(body.regions, np.array(matrix), np.array(offset))
    found = register(new, VIEWS, (2.0, 2.0), body.regions, VIEWS, (2.0, 2.0))
    for (view, code, side), mapped in found.parts.items():
        assert mapped.overlap > 0.65
        index = [each.name for each in VIEWS].index(view)
        places = np.argwhere(new[index] == code).astype(float)
        if side == "":
            there = places @ np.array(matrix).T + offset
            assert np.abs(mapped.to_prior(places) - there).mean() < 1.5
            np.testing.assert_allclose(mapped.to_new(mapped.to_prior(places)), places, atol=1e-6)


def test_another_matrix_and_pixel_size_make_no_difference(body):
    halved = np.ascontiguousarray(body.regions[:, ::2, ::2])
    for spacing in ((4.0, 4.0), None):
        found = register(body.regions, VIEWS, (2.0, 2.0), halved, VIEWS, spacing)
        mapped = found.parts[Part(ViewName.ANTERIOR, CODES["femur"], "left")]
        places = np.array([[260.0, 100.0], [320.0, 100.0]])
        assert np.abs(mapped.to_prior(places) - (places - 0.5) / 2).max() < 1.0


def test_a_bone_that_one_scan_lacks_has_no_map_and_moves_no_other(body):
    lacking = body.regions.copy()
    lacking[:, 250:] = 0
    found = register(lacking, VIEWS, (2.0, 2.0), body.regions, VIEWS, (2.0, 2.0))
    assert found.of(Part(ViewName.ANTERIOR, CODES["femur"], "left")) is None
    places = np.array([[220.0, 80.0]])
    mapped = found.of(Part(ViewName.POSTERIOR, CODES["sacrum"], ""))
    assert np.abs(mapped.to_prior(places) - places).max() < 1.0


def test_a_bone_that_is_cut_off_is_not_stretched(body):
    """The field of the new scan ends within the lower legs, without the image doing so."""
    cut = body.regions.copy()
    cut[:, 352:] = 0
    found = register(cut, VIEWS, (2.0, 2.0), body.regions, VIEWS, (2.0, 2.0))
    mapped = found.of(Part(ViewName.ANTERIOR, CODES["lower_leg"], "left"))
    assert mapped.overlap > LEAST_OVERLAP
    places = np.array([[335.0, 100.0], [350.0, 100.0]])
    assert np.abs(mapped.to_prior(places) - places).max() < 4.0


def test_scans_without_a_common_bone_or_view_have_no_maps(body):
    nothing = np.zeros_like(body.regions)
    assert register(nothing, VIEWS, None, body.regions, VIEWS, None).parts == {}
    found = register(body.regions[:1], VIEWS[:1], None, body.regions[1:], VIEWS[1:], None)
    assert (found.parts, found.bodies) == ({}, {})
