"""The simulated test set that comes with the installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.evaluation.shipped_test_set import ShippedTest, pack, shipped_test_folder, unpack
from napari_bonescint.simulation.splits import read_splits

if TYPE_CHECKING:
    from napari_bonescint.simulation.case import Case


def test_the_set_holds_bodies_of_the_test_split_and_no_other() -> None:
    shipped = ShippedTest()
    seeds = [int(path.stem) for path in shipped_test_folder().glob("*.webp")]
    assert len(shipped) == len(seeds) >= 12
    assert set(seeds) <= set(read_splits()["test"].seeds)
    assert sum(path.stat().st_size for path in shipped_test_folder().iterdir()) <= 400_000


def test_a_scan_of_the_set_is_a_whole_body_with_all_its_bones() -> None:
    first, again = next(iter(ShippedTest())), next(iter(ShippedTest()))
    assert first.scan.spacing == (3.0, 3.0)
    assert first.regions.shape == first.scan.counts.shape
    # An anterior view has every region; the counts are about those that the split gives this seed, with urine.
    assert set(np.unique(first.regions[0])) == set(range(17))
    total = read_splits()["test"].total(int(first.name.removeprefix("case_")))
    assert total * 0.95 < first.scan.counts.sum() < total * 2
    np.testing.assert_array_equal(first.scan.counts, again.scan.counts)


def test_packing_keeps_counts_and_regions(case: Case) -> None:
    total = 200_000.0
    reference = unpack(pack(case, total), 7)
    scale = total / case.expected[:-1].sum() * (3.0 / 2.0) ** 2
    for region, strength in ((3, 4.0), (14, 1.5)):
        inside = reference.regions == region
        # To half a pixel of 3 mm all round.
        assert inside.sum() == pytest.approx((case.regions == region).sum() * (2 / 3) ** 2, rel=0.1)
        assert reference.scan.counts[inside].mean() == pytest.approx(strength * scale, rel=0.1)
    assert (reference.scan.counts[:, 0] == 0).all()
