"""Measuring a drawn body in one call, and after a reader's edits."""

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.measurement.measures import HotSpotVerdict, Measured, UptakeClasses
from napari_bonescint.measurement.measuring import CannotMeasure, measure, measure_regions, remeasure
from napari_bonescint.scan import ViewName
from napari_bonescint.segmentation import Segmentation

A, P = ViewName.ANTERIOR, ViewName.POSTERIOR
PLACE = (slice(100, 112), slice(50, 60))


class DrawnClasses:
    """A detector whose lesions a test draws."""

    def __init__(self, lesion):
        self.lesion = lesion.astype(np.float32)

    def classify(self, *_arguments, **_callbacks):
        return UptakeClasses(self.lesion, np.zeros_like(self.lesion), "drawn", "c0de")


@pytest.fixture
def segmentation(body):
    probability = (body.regions > 0).astype(np.float32)
    mask = (body.regions > 0).astype(np.uint8)
    return Segmentation(mask, body.regions, probability, "named", "5ead", "cpu", "", "torch", 0.1)


def with_lesion(body):
    lesion = np.zeros(body.regions.shape)
    for view in range(2):
        body.heat(view, *PLACE, 4)
        lesion[body.at(view, *PLACE)] = 0.9
    return lesion


def test_a_lesion_is_found_described_and_in_the_index(body, segmentation):
    measured = measure(body.scan, segmentation, DrawnClasses(with_lesion(body)))
    first, second = measured.measures.hot_spots
    assert (first.view, first.id, first.region, first.side) == (A, 1, "ribs", "right")
    assert (second.view, second.other_view_id, first.other_view_id) == (P, 1, 1)
    assert first.probability == pytest.approx(0.9)
    assert (measured.labels > 0).sum() == 240
    assert measured.measures.index.total == pytest.approx(240 / 4800 * 8.59)
    assert measured.measures.models == {"named": "5ead", "drawn": "c0de"}
    assert measured.measures.absent == {}


def test_without_a_detector_thresholds_find_it(body):
    with_lesion(body)
    measures = measure_regions(body.scan, body.regions).measures
    assert {(spot.region, spot.probability) for spot in measures.hot_spots} == {("ribs", None)}
    assert "thresholds" in measures.models


def test_the_readers_verdict_stays(body):
    """It stays when the scan is measured again, and when the spot is painted larger under another number."""
    detector = DrawnClasses(with_lesion(body))
    measured = measure_regions(body.scan, body.regions, detector)
    no = HotSpotVerdict(False, by_reader=True)
    measures = remeasure(body.scan, body.regions, measured.labels, {(A, 1): no}, before=measured)
    assert [spot.verdict for spot in measures.hot_spots] == [no, HotSpotVerdict(True)]
    assert measures.hot_spots[0].reason.startswith("decided by the reader, probability of a metastasis 0.90")
    assert measures.index.by_view[A] == 0
    assert measures.index.by_view[P] > 0
    decided = Measured(measured.labels, measures)
    again = measure_regions(body.scan, body.regions, detector, before=decided)
    assert again.measures.hot_spots[0].verdict == no
    painted = np.where(measured.labels > 0, 7, 0).astype(np.uint16)
    painted[body.at(0, slice(98, 114), slice(48, 62))] = 7
    larger = remeasure(body.scan, body.regions, painted, before=decided)
    assert [(spot.id, spot.pixels, spot.verdict) for spot in larger.hot_spots] == [
        (7, 16 * 14, no),
        (7, 120, HotSpotVerdict(True)),
    ]
    assert larger.hot_spots[1].probability == pytest.approx(0.9)
    # Painted elsewhere, it is another spot.
    elsewhere = np.roll(painted, 20, axis=1)
    assert all(
        not spot.verdict.by_reader for spot in remeasure(body.scan, body.regions, elsewhere, before=decided).hot_spots
    )


def test_absent_quantities_have_reasons(body):
    body.spacing = None
    body.counts = body.counts.astype(np.uint8)
    absent = measure_regions(body.scan, body.regions).measures.absent
    assert set(absent) >= {"area_mm2", "counts", "mean_counts", "share_of_counts", "left_right_ratio"}
    assert "spacing" in absent["area_mm2"]
    assert "8 bits" in absent["counts"]


def test_what_cannot_be_measured_is_refused(body, segmentation):
    with pytest.raises(CannotMeasure, match="without naming regions"):
        measure(body.scan, replace(segmentation, regions=None))
    with pytest.raises(CannotMeasure, match="no bone"):
        measure_regions(body.scan, np.zeros_like(body.regions))
    with pytest.raises(CannotMeasure, match="does not fit the scan: 2 x 399 x 160 and 2 x 400 x 160"):
        measure_regions(body.scan, body.regions[:, 1:])
