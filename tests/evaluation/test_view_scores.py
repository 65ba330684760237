"""Scores of the views of a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from judged import bar_scan, threshold_model
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.evaluation.view_scores import segment_references
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from pathlib import Path


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
