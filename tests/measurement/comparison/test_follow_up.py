from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from dicom_files import nm_dataset, save, some_counts
from measurement.comparison.conftest import measured
from napari_bonescint.measurement.comparison.comparing import CannotCompare
from napari_bonescint.measurement.comparison.follow_up import Progression, follow_up

# Places in the drawn body, far from each other.
SPINE, HIGHER, RIBS, OTHER_RIBS, PELVIS, FEMUR = (
    (slice(160, 166), slice(77, 83)),
    (slice(90, 96), slice(77, 83)),
    (slice(100, 106), slice(50, 56)),
    (slice(100, 106), slice(104, 110)),
    (slice(220, 226), slice(55, 61)),
    (slice(280, 286), slice(97, 103)),
)


@pytest.fixture
def visit(body, tmp_path):
    """A scan of the drawn body after some days, with hot spots at some places."""

    def make(day, *places):
        counts, labels = body.counts.copy(), np.zeros_like(body.labels)
        for number, place in enumerate(places, 1):
            for view in (0, 1):
                at = body.at(view, *place)
                counts[at] = 200
                labels[at] = number
        scan = replace(body.scan, counts=counts)
        if day is not None:
            ds = nm_dataset(some_counts(2))
            ds.StudyDate = f"{date(2024, 1, 1) + timedelta(days=day):%Y%m%d}"
            path = tmp_path / f"{day}.dcm"
            save(ds, path)
            scan = replace(scan, sources=(path,))
        return measured(scan, body.regions, labels)

    return make


def test_the_index_over_time_is_sorted_by_day(visit):
    found = follow_up(visit(300, SPINE, RIBS), [visit(60, SPINE), visit(0)])
    assert [scan.days_before for scan in found.scans] == [300, 240, 0]
    assert [scan.new_lesions for scan in found.scans] == [None, 1, 1]
    indices = [scan.index for scan in found.scans]
    assert indices == sorted(indices)
    assert indices[0] == 0
    assert found.latest == 0
    assert found.comparison.days == 240
    assert found.progression is Progression.NONE
    assert found.counter == "1 new lesion on the last scan; the counter begins with two."
    with pytest.raises(CannotCompare, match="no prior scan"):
        follow_up(visit(300), [])


@pytest.mark.parametrize(
    ("scans", "state"),
    [
        # Two new ones within the flare, and nothing later yet.
        ([(0, [SPINE]), (60, [SPINE, RIBS, PELVIS])], Progression.UNCONFIRMED),
        # Two further ones 6 weeks later.
        ([(0, [SPINE]), (60, [SPINE, RIBS, PELVIS]), (102, [SPINE, RIBS, PELVIS, FEMUR, HIGHER])], "confirmed"),
        # One further one only: a flare.
        ([(0, [SPINE]), (60, [SPINE, RIBS, PELVIS]), (102, [SPINE, RIBS, PELVIS, FEMUR])], Progression.NONE),
        # Further ones too early to confirm.
        ([(0, [SPINE]), (60, [SPINE, RIBS, PELVIS]), (100, [RIBS, PELVIS, FEMUR, HIGHER])], Progression.UNCONFIRMED),
        # After the flare, lesions that are new since the first scan on treatment and stay.
        ([(0, [SPINE]), (60, [SPINE]), (150, [SPINE, RIBS, PELVIS]), (200, [SPINE, RIBS, PELVIS])], "confirmed"),
        # One after the other is two, too.
        ([(0, []), (60, []), (150, [RIBS]), (200, [RIBS, PELVIS]), (250, [RIBS, PELVIS])], "confirmed"),
        # One of them went away.
        ([(0, [SPINE]), (60, [SPINE]), (150, [SPINE, RIBS, PELVIS]), (200, [SPINE, RIBS])], Progression.NONE),
        # A lesion of the first scan that comes back is not new.
        ([(0, [RIBS, PELVIS]), (60, []), (150, [RIBS, PELVIS])], Progression.NONE),
        # Brighter and larger is no new lesion.
        ([(0, [SPINE, RIBS]), (60, [SPINE, RIBS])], Progression.NONE),
        # The first scan comes after the flare: lesions that stay are enough.
        ([(0, []), (100, [RIBS, PELVIS]), (150, [RIBS, PELVIS])], "confirmed"),
    ],
)
def test_the_counter_follows_pcwg3(visit, scans, state):
    *priors, new = (visit(day, *places) for day, places in scans)
    found = follow_up(new, priors)
    assert found.progression == state
    assert found.counter.endswith(".")
    assert found.warnings == ()


def test_without_days_nothing_is_confirmed(visit):
    scans = [visit(None, SPINE), visit(None, SPINE, RIBS, PELVIS), visit(None, SPINE, RIBS, PELVIS, FEMUR, OTHER_RIBS)]
    found = follow_up(scans[2], scans[:2])
    assert [scan.days_before for scan in found.scans] == [None, None, 0]
    assert found.latest == 1
    assert found.progression is Progression.UNCONFIRMED
    assert "from the oldest to the latest" in found.warnings[0]
