from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.simulation.case import SOURCES, Case
from napari_bonescint.simulation.splits import SPLITS_OF_BODIES, SplitError, case_path, read_splits, seed_of, split_of


def test_no_two_splits_share_a_body() -> None:
    splits = [read_splits()[name] for name in SPLITS_OF_BODIES]
    for split in splits:
        assert [other.name for other in splits if any(other.holds(seed) for seed in split.seeds)] == [split.name]
    assert splits[0].holds(10**9)
    assert not splits[0].holds(99_999)


def test_the_seed_decides_what_is_counted(case: Case) -> None:
    split = replace(read_splits()["test"], total_counts=(1e5, 4e5))
    once, again, other = (split.scan(case, seed).counts for seed in (3000, 3000, 3001))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


def test_counts_fill_the_range_evenly_on_a_logarithmic_scale(case: Case) -> None:
    expected = case.expected.copy()
    expected[SOURCES.index("excreted")] = 0
    dry = Case(expected, case.regions, case.pixel_mm)
    split = replace(read_splits()["test"], total_counts=(1e4, 1e6))
    totals = np.array([split.scan(dry, seed).counts.sum() for seed in range(200)])
    assert 0.95e4 < totals.min() < 2e4
    assert 0.5e6 < totals.max() < 1.01e6
    assert np.median(totals) == pytest.approx(1e5, rel=0.5)


def test_a_seed_is_found_in_the_name_of_its_file() -> None:
    assert seed_of(case_path(Path("data"), 3007)) == 3007
    assert seed_of(case_path(Path("data"), 12_345_678)) == 12_345_678
    with pytest.raises(SplitError, match=r"case_x\.npz: is not named case_SEED\.npz"):
        seed_of(Path("case_x.npz"))


@pytest.mark.parametrize(
    ("seed", "name"), [(2019, "validation"), (3000, "test"), (100_500, "training"), (4039, "lesions"), (7, "test")]
)
def test_every_seed_is_counted_as_some_split(seed: int, name: str) -> None:
    assert split_of(seed).name == name


def test_half_of_the_patients_for_lesions_have_metastases() -> None:
    lesions, test = read_splits()["lesions"], read_splits()["test"]
    numbers = [lesions.metastases_of(seed) for seed in lesions.seeds]
    assert numbers[::2] == [0] * 20
    assert min(numbers[1::2]) >= 1
    assert max(numbers) <= 30
    assert len(set(numbers)) > 8
    assert test.metastases_of(3000) is None
