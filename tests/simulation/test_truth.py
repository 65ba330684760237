from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS

if TYPE_CHECKING:
    from napari_bonescint.simulation.case import Case


def test_posterior_view_has_neither_sternum_nor_hidden_scapula(case: Case) -> None:
    anterior, posterior = case.regions
    # A sternum covers some 40 cm^2 of 1.70 m.
    assert (anterior == CODES["sternum"]).sum() * case.pixel_mm**2 > 3000
    assert (posterior == CODES["sternum"]).sum() == 0
    assert (posterior == CODES["scapula"]).sum() > (anterior == CODES["scapula"]).sum()


def test_every_region_is_seen_from_the_front(case: Case) -> None:
    assert set(np.unique(case.regions[0])) == {region.code for region in REGIONS}


def test_bones_stand_in_the_order_of_the_body(case: Case) -> None:
    order = ["skull", "cervical_spine", "thoracic_spine", "lumbar_spine", "sacrum", "femur", "lower_leg", "foot"]
    for view in case.regions:
        rows = [np.nonzero(view == CODES[name])[0].mean() for name in order]
        assert rows == sorted(rows)


def test_ribs_are_bands_with_background_between(case: Case) -> None:
    # Down the lateral chest wall, ribs and background take turns.
    ribs = case.regions[1] == CODES["ribs"]
    column = np.nonzero(ribs)[1].min() + 12
    changes = np.abs(np.diff(ribs[:, column].astype(int))).sum()
    assert changes >= 10


def test_lower_legs_are_closed_outlines_and_two(case: Case) -> None:
    legs = case.regions[0] == CODES["lower_leg"]
    rows = np.nonzero(legs.any(axis=1))[0]
    row = legs[rows[len(rows) // 2]]
    assert np.abs(np.diff(row.astype(int))).sum() == 4
