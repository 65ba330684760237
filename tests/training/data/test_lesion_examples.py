"""Examples of lesions: what is counted and what is true change together."""

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.networks.widths import HOT_SPOT_CHANNELS
from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.simulation.pathology import LesionKind
from napari_bonescint.simulation.visible_lesions import VisibleLesion
from napari_bonescint.training.data.lesion_examples import (
    BENIGN,
    LESION,
    NEITHER,
    draw_lesion_examples,
    true_classes,
    vary_contrast,
    vary_healthy,
    vary_lesions,
    vary_normal,
    vary_unevenly,
)
from napari_bonescint.training.data.simulated_examples import UNKNOWN


def in_both_views(shape, rows, columns):
    mask = np.zeros(shape, bool)
    mask[0, rows, columns] = mask[1, rows, columns] = True
    return mask


@pytest.fixture
def sick(case):
    """A metastasis that doubles the counts, a fracture, and a faint metastasis."""
    shape = case.regions.shape
    bright = in_both_views(shape, slice(30, 42), slice(58, 70))
    fracture = in_both_views(shape, slice(200, 212), slice(44, 56))
    faint = in_both_views(shape, slice(80, 92), slice(58, 70))
    expected = case.expected.copy()
    lesions = []
    for mask, ratio, kind in (
        (bright, 1.0, LesionKind.METASTASIS),
        (fracture, 1.5, LesionKind.FRACTURE),
        (faint, 0.2, LesionKind.METASTASIS),
    ):
        rest = case.expected.sum(axis=0)[mask]
        expected[SOURCES.index("lesions")][mask] = ratio * rest
        pixels = np.flatnonzero(mask).astype(np.int32)
        lesions.append(VisibleLesion(kind, 3, pixels, np.full(len(pixels), ratio, np.float16)))
    return replace(case, expected=expected, lesions=tuple(lesions))


def test_a_pixel_is_a_lesion_if_its_counts_rise_by_a_third_or_so(sick):
    classes = true_classes(sick)
    assert (classes[:, 30:42, 58:70] == LESION).all()
    assert (classes[:, 200:212, 44:56] == BENIGN).all()
    assert (classes[:, 80:92, 58:70] == NEITHER).all()
    assert (classes > 0).sum() == 2 * 2 * 12 * 12


def test_truth_follows_the_drawn_strengths(sick):
    seen = set()
    for seed in range(40):
        uptake = vary_lesions(sick, np.random.default_rng(seed))
        assert uptake.mean.min() >= 0
        inside, outside = uptake.mean[0, 36, 64], uptake.mean[0, 50, 64]
        ratio = inside / outside - 1
        is_lesion = uptake.classes[0, 36, 64] == LESION
        assert is_lesion == (ratio >= 0.3) or abs(ratio - 0.3) < 0.02
        seen.add((bool(is_lesion), bool(ratio < 0.01)))
    # Some are left out, and some are there.
    assert {(True, False), (False, True)} <= seen


def test_both_views_become_examples_of_one_patient(sick):
    examples = draw_lesion_examples(sick, np.random.default_rng(4), 4.0, (96, 64))
    again = draw_lesion_examples(sick, np.random.default_rng(4), 4.0, (96, 64))
    assert len(examples) == 2
    for example, same in zip(examples, again, strict=True):
        assert example.image.shape == (HOT_SPOT_CHANNELS, 96, 64)
        assert example.image.dtype == np.float32
        assert np.isfinite(example.image).all()
        assert example.codes.shape == (288, 192)
        assert set(np.unique(example.codes)) <= {NEITHER, LESION, BENIGN, UNKNOWN}
        np.testing.assert_array_equal(example.image, same.image)
        np.testing.assert_array_equal(example.codes, same.codes)


def test_what_is_true_is_hot_in_the_image(sick):
    hot, usual = [], []
    for seed in range(12):
        for example in draw_lesion_examples(sick, np.random.default_rng(seed), 4.0, (160, 96)):
            centre = example.codes[1::3, 1::3]
            ratio, bone = example.image[2], example.image[13:].any(axis=0)
            hot += ratio[(centre > 0) & bone].tolist()
            usual += ratio[(centre == 0) & bone].tolist()
    assert np.median(hot) > np.median(usual) + 0.4


def test_a_metastasis_that_could_not_be_seen_is_left_open(sick):
    without = [replace(lesion, ratio=lesion.ratio * np.float16(0)) for lesion in sick.lesions]
    classes = set()
    # From one that hardly adds counts to one that doubles them.
    for ratio in (0.2, 0.4, 1.0):
        lesion = replace(sick.lesions[0], ratio=np.full(len(sick.lesions[0].pixels), ratio, np.float16))
        one = replace(sick, lesions=(lesion, *without[1:]))
        for seed in range(10):
            uptake = vary_lesions(one, np.random.default_rng(seed))
            examples = draw_lesion_examples(one, np.random.default_rng(seed), 4.0, (160, 96))
            drawn, there = float(uptake.ratio.max()), {int(code) for each in examples for code in np.unique(each.codes)}
            assert (LESION in there) == (drawn > 0.5)
            assert (UNKNOWN in there) == (0.3 <= drawn <= 0.5)
            classes |= there
    assert {NEITHER, LESION, UNKNOWN} <= classes


def test_mild_variation_differs_between_the_sides(case):
    mean = np.ones(case.regions.shape, np.float32)
    varied = np.stack([vary_unevenly(mean, np.random.default_rng(seed)) for seed in range(8)])
    np.testing.assert_allclose(varied[:, 0], varied[:, 1][..., ::-1])
    assert np.abs(varied - varied[..., ::-1]).max() > 0.1
    # Less than the 50 % of a metastasis that could be seen.
    assert varied.max() < 1.45


def test_the_pattern_of_healthy_bone_becomes_stronger_or_weaker_alike_in_both_views():
    regions = np.zeros((2, 60, 40), np.uint8)
    regions[:, 10:50, 10:30] = 13
    healthy = np.ones(regions.shape, np.float32)
    healthy[:, 20:30, 14:26] = 1.4
    mean = healthy.copy()
    mean[:, 40:46, 14:20] *= 3
    contrasts = []
    for seed in range(40):
        varied = vary_contrast(mean, healthy, regions, np.random.default_rng(seed))
        np.testing.assert_allclose(varied[0], varied[1])
        # Usual bone, soft tissue and a metastasis keep their uptake.
        np.testing.assert_allclose(varied[0, 43, 17], mean[0, 43, 17], rtol=0.02)
        np.testing.assert_allclose(varied[0, 4, 4], 1)
        contrasts.append(varied[0, 25, 20])
    assert min(contrasts) < 1.3 < 1.5 < max(contrasts)


def test_normal_uptake_varies_alike_on_both_sides_and_in_both_views(case):
    regions = np.zeros_like(case.regions)
    regions[:, 40:200, 34:94] = 13
    mean = np.ones(regions.shape, np.float32)
    varied = vary_normal(mean, regions[0], np.random.default_rng(2))
    assert varied.std() > 0.02
    np.testing.assert_allclose(varied[0], varied[1][:, ::-1])
    np.testing.assert_allclose(varied[0, :, 34:94], varied[0, :, 34:94][:, ::-1], rtol=1e-4)
    empty = np.zeros_like(regions[0])
    assert vary_normal(mean, empty, np.random.default_rng(2)) is mean


def test_lesions_keep_their_ratio_when_healthy_uptake_is_varied(sick):
    varied = vary_healthy(sick, np.random.default_rng(3))
    before, after = sick.expected.sum(axis=0), varied.expected.sum(axis=0)
    assert np.log(after[before > 0] / before[before > 0]).std() > 0.02
    lesions = SOURCES.index("lesions")
    there = sick.expected[lesions] > 0
    shares = [case.expected[lesions][there] / total[there] for case, total in ((varied, after), (sick, before))]
    np.testing.assert_allclose(*shares, rtol=1e-4)
    assert varied.lesions == sick.lesions
