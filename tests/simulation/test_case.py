from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from napari_bonescint.anatomy import CODES
from napari_bonescint.errors import BonescintError
from napari_bonescint.scan import ViewName
from napari_bonescint.simulation.case import BONE_SOURCES, SOURCES, Case, patient_of, simulate
from napari_bonescint.simulation.pathology import Course, LesionKind

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.pose import Skeleton


def test_a_seed_makes_one_case_and_another_another(skeleton: Skeleton, case: Case) -> None:
    again = simulate(skeleton, seed=12)
    np.testing.assert_array_equal(again.expected, case.expected)
    np.testing.assert_array_equal(again.regions, case.regions)
    assert not np.array_equal(simulate(skeleton, seed=13).regions, case.regions)


def test_a_counted_scan_is_a_scan(case: Case) -> None:
    nothing_excreted = replace(case, expected=np.concatenate([case.expected[:-1], np.zeros_like(case.expected[-1:])]))
    scan = nothing_excreted.count(np.random.default_rng(0), 1e6)
    assert scan.counts.shape == case.regions.shape
    assert scan.counts.sum() == pytest.approx(1e6, rel=0.01)
    assert [view.name for view in scan.views] == [ViewName.ANTERIOR, ViewName.POSTERIOR]
    assert scan.spacing == (case.pixel_mm, case.pixel_mm)


def test_what_is_excreted_counts_on_top(case: Case) -> None:
    share = case.expected[-1].sum() / case.expected[:-1].sum()
    assert share > 0
    assert case.count(np.random.default_rng(0), 1e6).counts.sum() == pytest.approx(1e6 * (1 + share), rel=0.02)


@pytest.mark.parametrize(
    ("source", "regions"),
    [
        ("head", ["skull"]),
        ("spine", ["cervical_spine", "thoracic_spine", "lumbar_spine"]),
        ("thorax", ["ribs", "sternum"]),
        ("shoulders", ["clavicle", "scapula"]),
        ("arms", ["humerus", "forearm", "hand"]),
        ("pelvis", ["sacrum", "pelvis"]),
        ("legs", ["femur", "lower_leg", "foot"]),
    ],
)
def test_a_source_of_bone_lies_where_its_regions_are(case: Case, source: str, regions: list[str]) -> None:
    image = case.expected[SOURCES.index(source)]
    own = np.isin(case.regions, [CODES[name] for name in regions])
    assert image[own].mean() > 5 * image[~own].mean()
    assert image[ndimage.binary_dilation(own, np.ones((1, 9, 9)))].sum() > 0.75 * image.sum()


def test_bone_is_brighter_than_what_lies_beside_it(case: Case) -> None:
    bone = case.expected[: len(BONE_SOURCES)].sum(axis=0)
    assert bone[case.regions > 0].mean() > 8 * bone[case.regions == 0].mean()


def test_nothing_is_seen_or_named_beyond_the_field(case: Case) -> None:
    unseen = case.expected.sum(axis=0) == 0
    assert (case.regions[unseen] == 0).all()


def test_cases_survive_a_round_trip(case: Case, tmp_path: Path) -> None:
    case.save(tmp_path / "case.npz")
    again = Case.load(tmp_path / "case.npz")
    np.testing.assert_array_equal(again.regions, case.regions)
    assert again.pixel_mm == case.pixel_mm
    assert len(again.lesions) == len(case.lesions)
    for mine, other in zip(case.lesions, again.lesions, strict=True):
        assert (mine.kind, mine.region) == (other.kind, other.region)
        np.testing.assert_array_equal(mine.pixels, other.pixels)
        np.testing.assert_array_equal(mine.ratio, other.ratio)
    for before, after in zip(case.expected, again.expected, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-3, atol=2e-5 * before.max())
    assert [path.name for path in tmp_path.iterdir()] == ["case.npz"]


def test_packed_cases_are_read_like_others(case: Case, tmp_path: Path) -> None:
    case.save(tmp_path / "case.npz")
    case.save_packed(tmp_path / "packed.npz")
    plain, packed = (Case.load(tmp_path / f"{name}.npz") for name in ("case", "packed"))
    assert (tmp_path / "packed.npz").stat().st_size < (tmp_path / "case.npz").stat().st_size / 5
    np.testing.assert_array_equal(packed.regions, plain.regions)
    assert packed.pixel_mm == plain.pixel_mm
    assert len(packed.lesions) == len(plain.lesions) > 0
    for mine, other in zip(packed.lesions, plain.lesions, strict=True):
        np.testing.assert_array_equal(mine.pixels, other.pixels)
    # Counts of a scan with 3 million in each view, and how far they are from the true ones in units of their noise.
    unit = 3e6 / case.expected[:-1].sum(axis=(0, 2, 3))[:, None, None]
    true, rounded = (each.expected.sum(axis=0) * unit for each in (case, packed))
    noise = np.sqrt(np.maximum(true, 1))
    assert np.sqrt(np.mean(((rounded - true) / noise) ** 2)) < 0.12
    assert rounded.sum() == pytest.approx(true.sum(), rel=2e-3)


def test_cases_of_an_older_simulator_are_refused(case: Case, tmp_path: Path) -> None:
    np.savez(tmp_path / "old.npz", expected=case.expected[:3, :, ::8, ::8], regions=case.regions, pixel_mm=2.0)
    with pytest.raises(
        BonescintError, match=r"old\.npz: made by an older simulator, not by .*; simulate the case again"
    ):
        Case.load(tmp_path / "old.npz")


def test_a_course_keeps_each_lesion_in_its_place_of_the_bone(skeleton: Skeleton) -> None:
    """A lesion that is gone at the second visit has the number of none of its lesions."""
    # A patient without other metastases.
    seed = 22003
    assert patient_of(seed).metastases == 0
    first, second = (
        simulate(skeleton, seed, visit, course=Course(sizes))
        for visit, sizes in ((1, (1, 0, 1, 1)), (2, (1, 1, 0, 1.9)))
    )
    assert first.regions.shape != second.regions.shape or not np.array_equal(first.regions, second.regions)
    seen = [
        {lesion.number: lesion for lesion in case.lesions if lesion.kind is LesionKind.METASTASIS}
        for case in (first, second)
    ]
    begin = min(seen[0])
    assert [sorted(number - begin for number in each) for each in seen] == [[0, 2, 3], [0, 1, 3]]
    for number in (begin, begin + 3):
        assert seen[0][number].region == seen[1][number].region
    area = [len(each[begin + 3].pixels) * case.pixel_mm**2 for each, case in zip(seen, (first, second), strict=True)]
    assert area[1] > 1.5 * area[0]
