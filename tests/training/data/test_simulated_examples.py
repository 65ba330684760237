from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.training.data.simulated_examples import draw_example

if TYPE_CHECKING:
    from napari_bonescint.simulation.case import Case


@pytest.mark.parametrize("classes", [2, 17])
@pytest.mark.parametrize(("grid_mm", "samples"), [(8.0, 3), (2.5, 1)])
def test_examples_are_normalised_images_and_codes(case: Case, classes: int, grid_mm: float, samples: int) -> None:
    for seed in range(6):
        example = draw_example(case, seed % 2, np.random.default_rng(seed), classes, grid_mm, (64, 32))
        assert example.image.shape == (1, 64, 32)
        assert example.codes.shape == (64 * samples, 32 * samples)
        assert 0 <= example.image.min() < example.image.max() <= 4
        assert set(np.unique(example.codes)) <= ({0, 1} if classes == 2 else {0, 3, 14})


def test_codes_lie_where_the_bone_is(case: Case) -> None:
    case.expected[SOURCES.index("excreted")] = 0  # far hotter than the bone
    for seed in range(6):
        example = draw_example(case, 0, np.random.default_rng(seed), 17, 8.0, (64, 32))
        shares = (example.codes == 3).reshape(64, 3, 32, 3).mean(axis=(1, 3))
        spine = shares > 0.5
        assert 80 < spine.sum() < 190  # 200 by 40 mm in pixels of 8 mm, scaled by 0.85 to 1.18
        background = (example.codes == 0).reshape(64, 3, 32, 3).all(axis=(1, 3))
        tissue = background & (example.image[0] > 0)
        assert example.image[0][spine].mean() > 1.2 * example.image[0][tissue].mean()


def test_the_body_is_seldom_cut_where_it_fits(case: Case) -> None:
    heights = []
    for seed in range(40):
        example = draw_example(case, 0, np.random.default_rng(seed), 2, 2.0, (256, 128))
        rows = np.flatnonzero(example.codes.any(axis=1))
        heights.append(rows[-1] - rows[0] + 1)
    assert np.mean(np.array(heights) > 0.8 * 220) > 0.8
