"""Two models' scores on the same views, region by region."""

from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.evaluation.calibration import Reliability
from napari_bonescint.evaluation.paired import PairedScores
from napari_bonescint.evaluation.verdict import SetKind
from napari_bonescint.evaluation.view_scores import ViewScore
from napari_bonescint.scan import ViewName

NOTHING = Reliability.of(np.zeros(1), np.zeros(1, bool))


def view(patient: str, skeleton: float, **regions: float) -> ViewScore:
    return ViewScore("scan", patient, ViewName.ANTERIOR, skeleton, regions, 0.1, NOTHING)


def test_a_patient_with_many_views_counts_once() -> None:
    scores = PairedScores()
    for _ in range(4):
        scores.add([view("a", 0.8)], [view("a", 0.9)])
    scores.add([view("b", 0.6)], [view("b", 0.6)])
    (row,) = scores.rows(SetKind.CORRECTED)
    assert (row.region, row.patients, row.views) == ("skeleton", 2, 5)
    assert (row.current, row.new, row.difference) == (pytest.approx(0.7), pytest.approx(0.75), pytest.approx(0.05))
    assert row.low < 0 < 0.05 < row.high
    assert row.high - row.difference == pytest.approx(row.difference - row.low)


def test_differences_are_paired() -> None:
    # The patients differ much, the models always by the same.
    scores = PairedScores()
    for patient, dice in zip("abcdef", (0.2, 0.9, 0.5, 0.7, 0.4, 0.8), strict=True):
        scores.add([view(patient, dice)], [view(patient, dice + 0.01)])
    (row,) = scores.rows(SetKind.CORRECTED)
    assert (row.low, row.high) == (pytest.approx(0.01), pytest.approx(0.01))


def test_regions_are_compared_where_both_models_name_them() -> None:
    scores = PairedScores()
    scores.add([view("a", 0.8, skull=0.9, ribs=0.5)], [view("a", 0.9, skull=0.8, ribs=0.7)])
    scores.add([view("b", 0.8, skull=0.7)], [view("b", 0.9)])
    rows = {row.region: row for row in scores.rows(SetKind.SIMULATED)}
    assert list(rows) == ["skeleton", "regions", "skull", "ribs"]
    assert (rows["skull"].patients, rows["skull"].new) == (1, 0.8)
    assert rows["regions"].difference == pytest.approx(0.75 - 0.7)
    assert rows["ribs"].low is None
