from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.training.dataset import SimulatedViews, draw_example

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.case import Case


@pytest.mark.parametrize("classes", [2, 17])
def test_examples_are_normalised_images_and_class_shares(case: Case, classes: int) -> None:
    for seed in range(6):
        example = draw_example(case, seed % 2, np.random.default_rng(seed), classes, 8.0, (64, 32))
        assert example.image.shape == (1, 64, 32)
        assert example.target.shape == (classes, 64, 32)
        assert 0 <= example.image.min() < example.image.max() <= 4
        np.testing.assert_allclose(example.target.sum(axis=0), 1, rtol=1e-5)


def test_target_lies_where_the_bone_is(case: Case) -> None:
    for seed in range(6):
        example = draw_example(case, 0, np.random.default_rng(seed), 17, 8.0, (64, 32))
        spine = example.target[3] > 0.5
        assert 80 < spine.sum() < 190  # 200 by 40 mm in pixels of 8 mm, scaled by 0.85 to 1.18
        tissue = (example.target[0] == 1) & (example.image[0] > 0)
        assert example.image[0][spine].mean() > 1.2 * example.image[0][tissue].mean()


def test_examples_are_repeatable_and_endless(cases: list[Path]) -> None:
    def first(seed: int) -> np.ndarray:
        views = SimulatedViews(cases, 17, 8.0, (64, 32), seed)
        return np.stack([image.numpy() for image, _ in islice(views, 5)])

    np.testing.assert_array_equal(first(1), first(1))
    assert not np.array_equal(first(1), first(2))
