from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.training.data.batches import Batches
from napari_bonescint.training.data.sources import NoCasesError, SimulatedCaseFiles, SimulatedStream

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.geometry import BonePoints


def test_the_hash_of_files_depends_on_content_not_on_order(cases: list[Path]) -> None:
    before = SimulatedCaseFiles(cases).sha256()
    assert SimulatedCaseFiles(cases[::-1]).sha256() == before
    cases[0].write_bytes(b"other")
    assert SimulatedCaseFiles(cases).sha256() != before


def test_no_files_are_refused() -> None:
    with pytest.raises(NoCasesError, match="no cases to train on"):
        SimulatedCaseFiles([])


def test_a_stream_makes_new_cases_and_the_same_ones_for_the_same_step(points: BonePoints, tmp_path: Path) -> None:
    points.save(tmp_path / "skeleton.npz")
    batches = Batches(SimulatedStream(tmp_path / "skeleton.npz"), 17, 8.0, (256, 96), 2, 1)
    first = batches[0]
    assert len(np.unique(first.codes)) > 10
    np.testing.assert_array_equal(batches[0].images, first.images)
    assert not np.array_equal(batches[1].images, first.images)
