from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.simulation.case import SOURCES, Case
from napari_bonescint.simulation.pathology import LesionKind
from napari_bonescint.simulation.visible_lesions import VisibleLesion
from pack_cases import coarsen, main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def with_lesions(case: Case) -> Case:
    """The case of two bars with a metastasis that adds half of the counts of its bone, and a worn joint."""
    expected = case.expected.copy()
    spot, joint = np.zeros((2, *case.regions.shape), bool)
    spot[0, 60:72, 58:70] = joint[1, 180:192, 44:56] = True
    without = expected.sum(axis=0)
    expected[SOURCES.index("lesions")][spot] = 0.5 * without[spot]
    lesions = [
        VisibleLesion(kind, region, np.flatnonzero(place).astype(np.int32), np.full(place.sum(), 0.5, np.float16), n)
        for n, (kind, region, place) in enumerate(
            [(LesionKind.METASTASIS, 3, spot), (LesionKind.JOINT, 14, joint)],
        )
    ]
    return replace(case, expected=expected, lesions=tuple(lesions))


def test_larger_pixels_keep_counts_regions_and_lesions(with_lesions: Case) -> None:
    coarse = coarsen(with_lesions, 3.0)
    assert coarse.pixel_mm == 3.0
    assert coarse.regions.shape == (2, 171, 85)
    np.testing.assert_allclose(
        coarse.expected.sum(axis=(1, 2, 3)), with_lesions.expected.sum(axis=(1, 2, 3)), rtol=1e-3
    )
    for code in (3, 14):
        area = (with_lesions.regions == code).sum() * with_lesions.pixel_mm**2
        assert (coarse.regions == code).sum() * 3.0**2 == pytest.approx(area, rel=0.05)
    assert set(np.unique(coarse.regions)) == {0, 3, 14}
    for fine, lesion in zip(with_lesions.lesions, coarse.lesions, strict=True):
        assert (lesion.kind, lesion.region, lesion.number) == (fine.kind, fine.region, fine.number)
        assert len(lesion.pixels) * 3.0**2 == pytest.approx(len(fine.pixels) * 2.0**2, rel=0.13)
        np.testing.assert_allclose(lesion.ratio, 0.5, rtol=0.02)


def test_a_folder_is_packed_into_small_files(
    with_lesions: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cases").mkdir()
    coarser = replace(with_lesions, pixel_mm=4.4)
    for seed, case in enumerate([with_lesions, coarser]):
        case.save(tmp_path / "cases" / f"case_{seed:06d}.npz")
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "cases"), "--out", str(tmp_path / "packed")])
    assert main() == 0
    assert capsys.readouterr().out.startswith("2 cases: 0.3 MB -> 0.0 MB, the largest ")
    fine, kept = (Case.load(tmp_path / "packed" / f"case_{seed:06d}.npz") for seed in range(2))
    assert (fine.pixel_mm, kept.pixel_mm) == (3.0, 4.4)
    np.testing.assert_array_equal(kept.regions, coarser.regions)
    assert fine.expected.sum() == pytest.approx(with_lesions.expected.sum(), rel=0.01)
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(sys, "argv", ["", str(tmp_path / "empty"), "--out", str(tmp_path / "packed")])
    assert main() == 1
    assert "holds no cases" in capsys.readouterr().err
