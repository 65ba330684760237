from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.simulation.tissue import draw_density, draw_parts

if TYPE_CHECKING:
    from napari_bonescint.simulation.body import Body
    from napari_bonescint.simulation.patient import Patient
    from napari_bonescint.simulation.posed import PosedBones


def test_lungs_take_less(bones: PosedBones, body: Body) -> None:
    lung = body.lung > 0.5 * np.maximum(body.thickness, 1)
    assert lung.sum() > 100
    ratios = []
    for seed in range(5):
        density = draw_density(np.random.default_rng(seed), bones, body)
        assert density.min() > 0
        ratios.append(density[lung].mean() / density[(body.thickness > 100) & (body.lung == 0)].mean())
    assert np.median(ratios) < 0.9


def test_women_have_breasts_before_the_ribs(bones: PosedBones, patient: Patient) -> None:
    ribs = bones.of("ribs")
    before = np.quantile(ribs[:, 1], 0.02) - 5

    def tracer_before_ribs(female: bool) -> float:
        parts = draw_parts(np.random.default_rng(0), bones, replace(patient, female=female))
        near = (parts.position[:, 1] < before) & (np.abs(parts.position[:, 2] - ribs[:, 2].mean()) < 100)
        return float(parts.activity[near].sum())

    assert tracer_before_ribs(female=True) > 20 * tracer_before_ribs(female=False)
