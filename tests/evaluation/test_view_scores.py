"""Scores of the views of a scan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judged import bar_scan, threshold_model
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.evaluation.view_scores import score_views, segment_references
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.scan import ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


@pytest.mark.parametrize("outputs", [1, 17])
@pytest.mark.parametrize("named", [True, False])
def test_regions_are_scored_where_model_and_truth_name_them(tmp_path: Path, outputs: int, named: bool) -> None:
    scan, regions = bar_scan(0)
    truth = regions if named else (regions > 0).astype(regions.dtype)
    segmenter = Segmenter(threshold_model(tmp_path, "good", 0.7, outputs), "cpu")
    (segmented,) = segment_references(segmenter, [Reference(scan, truth, "scan 1", "patient 1", named)])
    assert [view.view for view in segmented.views] == list(ViewName)
    for view in segmented.views:
        assert (view.scan, view.patient) == ("scan 1", "patient 1")
        assert view.skeleton > 0.8
        assert list(view.regions) == (["thoracic_spine"] if named and outputs > 1 else [])
        assert view.macro == view.regions.get("thoracic_spine")
    assert segmented.dice == pytest.approx(sum(view.skeleton for view in segmented.views) / 2)


def test_regions_are_compared_where_both_name_them_and_bone_elsewhere(scan: Scan) -> None:
    truth = np.zeros(scan.counts.shape, np.uint8)
    truth[:, 20:60, 20:40], truth[:, 60:100, 20:40] = 3, 4
    named = np.where(truth > 0, 3, 0).astype(np.uint8)
    skeleton = (truth > 0).astype(np.uint8)
    result = Segmentation(skeleton, named, skeleton.astype(np.float32), "m", "ab" * 32, "cpu", "CPU", "torch", 0.1)
    # Half of what is called thoracic spine is; no lumbar spine is found: (2/3 + 0) / 2.
    assert score_views(Reference(scan, truth), result)[0].dice == pytest.approx(1 / 3)
    assert score_views(Reference(scan, skeleton, names_regions=False), result)[0].dice == 1
    assert score_views(Reference(scan, truth), replace(result, regions=None))[1].dice == 1
