"""Free response on drawn lesions."""

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.measurement.measures import Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.measurement.scoring import free_response, operating_point, score_scan, true_pieces
from napari_bonescint.simulation.pathology import LesionKind
from napari_bonescint.simulation.splits import read_splits
from napari_bonescint.simulation.visible_lesions import VisibleLesion

TOTAL = 1e6


def lesion(kind, rows, ratio, shape, view=0):
    mask = np.zeros(shape, bool)
    mask[view, rows, 60:70] = True
    pixels = np.flatnonzero(mask).astype(np.int32)
    return VisibleLesion(kind, 3, pixels, np.full(len(pixels), ratio, np.float16))


@pytest.fixture
def sick(case):
    """A bright metastasis in the spine, a fainter one, and a fracture."""
    shape = case.regions.shape
    drawn = (
        lesion(LesionKind.METASTASIS, slice(30, 36), 2.0, shape),
        lesion(LesionKind.METASTASIS, slice(60, 66), 0.4, shape),
        lesion(LesionKind.FRACTURE, slice(90, 96), 2.0, shape),
    )
    return replace(case, lesions=drawn)


def measured(case, *spots):
    """What is measured with these pixels as hot spots."""
    labels = np.zeros(case.regions.shape, np.uint16)
    for number, (rows, columns) in enumerate(spots, start=1):
        labels[0, rows, columns] = number
    scan = read_splits()["test"].scan(case, 3000)
    return Measured(labels, remeasure(scan, case.regions, labels))


def test_pieces_are_metastases_that_can_be_seen(sick):
    pieces = true_pieces(sick, TOTAL)
    assert np.unique(pieces).tolist() == [-1, 0, 1]
    assert (pieces[0, 30:36, 60:70] == 1).all()
    # Its peak is below 50 %.
    assert (pieces[0, 60:66, 60:70] == -1).all()
    assert not pieces[:, 90:96].any()
    # Of few counts, nothing is certain.
    assert (true_pieces(sick, 100)[0, 30:36, 60:70] == -1).all()


def test_near_is_found_and_elsewhere_is_a_false_alarm(sick):
    near = (slice(37, 40), slice(60, 70))
    scored = score_scan(measured(sick, near), sick, TOTAL)
    (piece,) = scored.pieces
    assert piece.found > 0
    assert (piece.region, piece.area_mm2, piece.total_counts) == ("thoracic_spine", 60 * 4.0, TOTAL)
    assert scored.false_alarms == ()

    far = (slice(38, 42), slice(60, 70))
    fracture, faint = (slice(90, 96), slice(60, 70)), (slice(60, 66), slice(60, 70))
    scored = score_scan(measured(sick, far, fracture, faint), sick, TOTAL)
    assert scored.pieces[0].found == -np.inf
    assert len(scored.false_alarms) == 2


def test_the_curve_trades_sensitivity_for_false_alarms(sick, case):
    hit, alarm = (slice(30, 36), slice(60, 70)), (slice(100, 106), slice(60, 70))
    scans = [
        score_scan(measured(sick, hit, alarm), sick, TOTAL),
        score_scan(measured(case, alarm), case, TOTAL),
        score_scan(measured(case), case, TOTAL),
    ]
    taken = operating_point(scans, -np.inf)
    assert taken.sensitivity == 1
    assert taken.false_alarms == pytest.approx(2 / 3)
    assert taken.false_alarms_clean == pytest.approx(1 / 2)
    curve = free_response(scans)
    assert curve[-1].sensitivity == 1
    assert curve[-1].false_alarms == pytest.approx(2 / 3)
    assert [point.score for point in curve] == sorted((point.score for point in curve), reverse=True)
    assert operating_point(scans, np.inf).sensitivity == 0
    marked = operating_point(scans)
    assert marked.score is None
    assert marked.sensitivity in (0, 1)
    assert marked.false_alarms <= taken.false_alarms
    assert np.isnan(operating_point(scans[1:], 0).sensitivity)
    small = operating_point(scans, -np.inf, lambda piece: piece.area_mm2 < 10)
    assert np.isnan(small.sensitivity)
