from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.model_scores import Scores
from napari_bonescint.evaluation.reference_sets import SimulatedSet
from napari_bonescint.evaluation.view_scores import segment_references
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.simulation.splits import read_splits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from napari_bonescint.inference.model_card import ModelCard


def on_card(card: ModelCard, cases: list[Path]) -> list[dict[str, Any]]:
    references = SimulatedSet(read_splits()["test"], tuple(cases))
    segmented = segment_references(Segmenter(card, "cpu"), references)
    return Scores.of([view for each in segmented for view in each.views]).on_card("held-out simulated", len(cases))


def test_scores_name_what_was_measured(make_model: Callable[..., ModelCard], cases: list[Path]) -> None:
    skeleton, regions = on_card(make_model(), cases)
    assert (skeleton["metric"], regions["metric"]) == ("skeleton Dice", "regions Dice")
    assert set(regions["regions"]) == {"thoracic_spine", "femur"}
    assert regions["value"] == pytest.approx(sum(regions["regions"].values()) / 2, abs=1e-3)
    for score in (skeleton, regions):
        assert 0 <= score["lowest"] <= score["value"] <= 1
        assert score["scans"] == 2


def test_a_skeleton_model_has_one_score(make_model: Callable[..., ModelCard], cases: list[Path]) -> None:
    assert [score["metric"] for score in on_card(make_model(outputs=1), cases)] == ["skeleton Dice"]
