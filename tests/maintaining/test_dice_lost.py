"""What rounding costs is the fall of the mean Dice, of the skeleton or of the regions, whichever is worse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from dice_lost import mean_dice_lost
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


@pytest.fixture
def scans(scan: Scan) -> list[Scan]:
    """Two scans, the second of one view only and with oblong pixels."""
    return [scan, replace(scan, counts=scan.counts[1:, ::-1] * 2, views=scan.views[1:], spacing=(3.0, 6.0))]


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    return float(2 * np.sum(mask * truth) / (np.sum(mask) + np.sum(truth)))


def region_overlap(regions: np.ndarray, truth: np.ndarray) -> float:
    """Of the regions that can be judged: 30 pixels and more."""
    codes, sizes = np.unique(truth[truth > 0], return_counts=True)
    judged = codes[sizes >= 30]
    assert len(judged) > 1
    return float(np.mean([overlap(regions == code, truth == code) for code in judged]))


def test_the_worse_of_skeleton_and_regions_counts(make_model: Callable[..., ModelCard], scans: list[Scan]) -> None:
    one, other = (Segmenter(make_model(name, seed=seed), "cpu") for seed, name in enumerate("ab"))
    # The first model's own masks are the truth: it has nothing to lose but all of its Dice of 1.
    truth = [one.segment(scan).regions for scan in scans]
    references = [Reference(scan, regions) for scan, regions in zip(scans, truth, strict=True)]
    masks = [other.segment(scan).regions for scan in scans]
    skeleton = np.mean([1 - overlap(mask > 0, true > 0) for mask, true in zip(masks, truth, strict=True)])
    regions = np.mean([1 - region_overlap(mask, true) for mask, true in zip(masks, truth, strict=True)])
    assert mean_dice_lost(iter(references), one, other) == pytest.approx(max(skeleton, regions), abs=1e-5)
    # What the other one gains is a negative loss, of which the worse is the smaller gain.
    assert mean_dice_lost(references, other, one) == pytest.approx(-min(skeleton, regions), abs=1e-5)
    assert mean_dice_lost(references, one, one) == 0


def test_a_model_of_bone_alone_is_judged_by_its_skeleton(
    make_model: Callable[..., ModelCard], scans: list[Scan]
) -> None:
    one, other = (Segmenter(make_model(name, outputs=1, seed=seed), "cpu") for seed, name in enumerate("ab"))
    truth = [one.segment(scan).skeleton for scan in scans]
    references = [Reference(scan, bone, names_regions=False) for scan, bone in zip(scans, truth, strict=True)]
    lost = [
        1 - overlap(other.segment(scan).skeleton.astype(float), bone) for scan, bone in zip(scans, truth, strict=True)
    ]
    assert mean_dice_lost(references, one, other) == pytest.approx(np.mean(lost), abs=1e-5)
