"""The sacroiliac joints of a drawn body."""

import numpy as np
import pytest

from napari_bonescint.measurement.sacroiliac import LEFT_JOINT, RIGHT_JOINT, SACRUM, sacroiliac_profile

ROWS = slice(200, 230)


def test_each_joint_is_measured_against_the_sacrum(body):
    body.heat(1, ROWS, slice(88, 96), 1.5)  # the patient's left joint, 8 mm on each side of the border
    body.heat(1, ROWS, slice(65, 73), 0.75)
    profile = sacroiliac_profile(body.scan, body.regions)
    assert (profile.view, profile.rows) == (1, ROWS)
    assert profile.ratio(body.scan, "left") == pytest.approx(1.5, rel=0.05)
    assert profile.ratio(body.scan, "right") == pytest.approx(0.75, rel=0.05)
    # The patient's left is on the left of a posterior view.
    columns = {place: np.nonzero(profile.places == place)[1].mean() for place in (LEFT_JOINT, SACRUM, RIGHT_JOINT)}
    assert columns[LEFT_JOINT] < columns[SACRUM] < columns[RIGHT_JOINT]
    at = dict(zip(profile.position.round(3).tolist(), profile.counts, strict=True))
    assert at[-1.0] == pytest.approx(60)
    assert at[0.0] == pytest.approx(40)
    assert at[1.0] == pytest.approx(30)


def test_the_profile_over_the_sacrum_has_a_band_for_each_region(body):
    body.heat(1, ROWS, slice(88, 96), 1.5)
    profile = sacroiliac_profile(body.scan, body.regions)
    relative = profile.relative(body.scan)
    # The borders lie at columns 69.5 and 90.5, 21 pixels of 2 mm apart, so 8 mm are 8/21 of half of that.
    left, sacrum, right = relative.bands
    assert [band.name for band in relative.bands] == ["left joint", "sacrum", "right joint"]
    assert [(band.first, band.last) for band in relative.bands] == [
        pytest.approx(ends) for ends in ((-1 - 8 / 21, -1 + 8 / 21), (-0.5, 0.5), (1 - 8 / 21, 1 + 8 / 21))
    ]
    assert (left.ratio, sacrum.ratio, right.ratio) == (profile.ratio(body.scan, "left"), 1, pytest.approx(1))
    points = {round(position, 3): value for position, value in relative.points}
    assert [points[at] for at in (-1, 0, 1)] == pytest.approx([1.5, 1, 1])
    everywhere = np.ones(body.regions.shape[1:], bool)
    assert profile.relative(body.scan, everywhere) is None


def test_a_hot_spot_in_the_sacrum_is_left_out(body):
    body.heat(1, slice(205, 211), slice(76, 86), 5, label=1)
    profile = sacroiliac_profile(body.scan, body.regions)
    hot = body.labels[1] > 0
    assert profile.ratio(body.scan, "left") < 0.8
    assert profile.ratio(body.scan, "left", hot) == pytest.approx(1)
    assert profile.ratio(body.scan, "left", np.ones_like(hot)) is None


def test_the_reason_tells_why_there_is_none(body):
    body.regions[body.at(1, slice(200, 250), slice(91, 111))] = 0
    assert "does not touch the pelvis on both sides" in sacroiliac_profile(body.scan, body.regions)
    front = type(body.scan)(body.counts[:1], body.scan.views[:1], (2.0, 2.0))
    assert sacroiliac_profile(front, body.regions[:1]) == "There is no posterior view."
