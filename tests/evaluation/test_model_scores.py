from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.model_scores import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_scores_name_what_was_measured(make_model: Callable[..., ModelCard], cases: list[Path]) -> None:
    skeleton, regions = evaluate(make_model(), cases, "cpu")
    assert (skeleton["metric"], regions["metric"]) == ("skeleton Dice", "regions Dice")
    assert set(regions["regions"]) == {"thoracic_spine", "femur"}
    assert regions["value"] == pytest.approx(sum(regions["regions"].values()) / 2, abs=1e-3)
    for score in (skeleton, regions):
        assert 0 <= score["lowest"] <= score["value"] <= 1
        assert score["scans"] == 2


def test_a_skeleton_model_has_one_score(make_model: Callable[..., ModelCard], cases: list[Path]) -> None:
    assert [score["metric"] for score in evaluate(make_model(outputs=1), cases, "cpu")] == ["skeleton Dice"]
