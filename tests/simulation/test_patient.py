from __future__ import annotations

import numpy as np

from napari_bonescint.simulation.patient import draw_patient


def test_patients_range_from_healthy_to_superscan_and_from_clear_to_hidden() -> None:
    rng = np.random.default_rng(0)
    patients = [draw_patient(rng, 1.0) for _ in range(400)]
    assert 0.45 < np.mean([patient.metastases == 0 for patient in patients]) < 0.7
    superscans = [patient for patient in patients if patient.superscan]
    assert superscans
    ordinary = np.mean([patient.soft_share for patient in patients])
    assert np.mean([patient.soft_share for patient in superscans]) < 0.6 * ordinary
    assert min(patient.soft_share for patient in patients if not patient.superscan) < 0.3
    assert max(patient.soft_share for patient in patients) > 0.7


def test_small_patients_are_often_growing() -> None:
    rng = np.random.default_rng(0)
    small = np.mean([draw_patient(rng, 0.85).growing for _ in range(200)])
    tall = np.mean([draw_patient(rng, 1.05).growing for _ in range(200)])
    assert small > 0.3 > 0.12 > tall
