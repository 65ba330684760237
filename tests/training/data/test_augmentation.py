from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.training.data.augmentation import as_picture, bend, glow, narrow

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _body() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """A trunk of soft tissue with a spine in it."""
    mean, regions = np.zeros((200, 100), np.float32), np.zeros((200, 100), np.uint8)
    mean[20:180, 20:80] = 1
    mean[30:170, 45:55], regions[30:170, 45:55] = 3, 3
    return mean, regions


def test_bending_moves_image_and_truth_alike() -> None:
    for seed in range(10):
        mean, regions = bend(*_body(), np.random.default_rng(seed))
        spine = regions == 3
        assert spine.any()
        assert mean[spine].mean() > 2.5
        assert mean[~spine].max() <= 3


def test_a_picture_has_256_grey_levels() -> None:
    counts = np.random.default_rng(0).poisson(20 * _body()[0]).astype(np.float32)
    for seed in range(10):
        picture = as_picture(counts, np.random.default_rng(seed))
        assert picture.min() >= 0
        assert picture.max() == 255
        np.testing.assert_array_equal(picture, np.round(picture))


def test_a_glow_begins_in_soft_tissue() -> None:
    mean, regions = _body()
    for seed in range(20):
        added = glow(mean, regions, np.random.default_rng(seed)) - mean
        assert added.min() >= 0
        assert 0.15 < added.max() < 1.2 * 3 + 0.1
        assert added[mean == 1].max() > 0.9 * added[regions == 0].max()


def test_without_body_or_bone_nothing_glows() -> None:
    mean, regions = _body()
    empty = np.zeros_like(regions)
    np.testing.assert_array_equal(glow(mean, empty, np.random.default_rng(0)), mean)
    np.testing.assert_array_equal(glow(mean, np.full_like(regions, 3), np.random.default_rng(0)), mean)


def test_a_narrow_field_cuts_image_and_truth_alike_but_never_far() -> None:
    mean, regions = _body()
    regions[100:120, 10:90] = 13
    widths = []
    for seed in range(40):
        cut, truth = narrow(mean, regions, np.random.default_rng(seed))
        assert cut.shape == truth.shape
        assert cut.shape[0] == 200
        assert (cut[truth == 3] == 3).all()
        widths.append(np.count_nonzero((truth == 13).any(axis=0)))
    assert min(widths) >= 0.55 * 80
    assert max(widths) == 80
    assert np.mean(np.array(widths) < 80) > 0.7


def test_a_view_without_bone_is_not_narrowed() -> None:
    mean, regions = _body()
    cut, truth = narrow(mean, np.zeros_like(regions), np.random.default_rng(0))
    assert cut.shape == truth.shape == mean.shape
