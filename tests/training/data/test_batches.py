from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.training.data.batches import Batches
from napari_bonescint.training.data.sources import SimulatedCaseFiles

if TYPE_CHECKING:
    from pathlib import Path


def test_a_step_always_has_the_same_examples_and_others_have_others(cases: list[Path]) -> None:
    def images(seed: int, step: int) -> np.ndarray:
        batches = Batches(SimulatedCaseFiles(cases), 17, 8.0, (64, 32), 3, seed)
        image, codes, skipped = batches[step]
        assert skipped == ()
        assert image.shape == (3, 1, 64, 32)
        assert codes.shape == (3, 192, 96)
        return image.numpy()

    np.testing.assert_array_equal(images(1, 5), images(1, 5))
    assert not np.array_equal(images(1, 5), images(1, 6))
    assert not np.array_equal(images(1, 5), images(2, 5))


def test_processes_together_draw_what_one_with_all_their_examples_does(cases: list[Path]) -> None:
    def images(batch: int, rank: int) -> np.ndarray:
        return Batches(SimulatedCaseFiles(cases), 17, 8.0, (64, 32), batch, 1, rank)[5].images.numpy()

    np.testing.assert_array_equal(np.concatenate([images(2, 0), images(2, 1)]), images(4, 0))


def test_a_case_that_cannot_be_read_is_skipped_and_named(cases: list[Path]) -> None:
    cases[0].write_bytes(b"PK")
    batches = Batches(SimulatedCaseFiles(cases), 17, 8.0, (64, 32), 4, 1)
    steps = [batches[step] for step in range(6)]
    assert all(len(batch.images) == 4 for batch in steps)
    named = {sentence for batch in steps for sentence in batch.skipped}
    assert named == {f"{cases[0].name}: is damaged or missing; simulate the case again."}
    cases[1].unlink()
    nothing = batches[0]
    assert len(nothing.images) == 0
    assert len(nothing.skipped) > 10
