from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.training.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_scores_name_what_was_measured(make_model: Callable[..., ModelCard], cases: list[Path]) -> None:
    scores = {score["metric"]: score for score in evaluate(make_model(), cases, "cpu")}
    assert {"Dice skeleton", "Dice regions macro", "Dice thoracic_spine", "Dice femur"} == set(scores)
    for score in scores.values():
        assert score["views"] == 4
        assert score["spread"][0] <= score["value"] <= score["spread"][1]
        assert score["data"] == "2 held-out simulated scans"


def test_a_skeleton_model_has_one_score(make_model: Callable[..., ModelCard], cases: list[Path]) -> None:
    assert [s["metric"] for s in evaluate(make_model(outputs=1), cases, "cpu")] == ["Dice skeleton"]
