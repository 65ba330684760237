from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_bonescint.inference.model_card import DEFAULT_MODEL, shipped_models
from napari_bonescint.inference.model_registry import accept, find_model, label
from napari_bonescint.inference.model_titles import details, title

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard


def test_the_default_is_listed_by_its_purpose_and_the_score_on_its_card() -> None:
    card = find_model(DEFAULT_MODEL)
    score = card.scores[0]
    assert title(card) == (
        f"Named bones: Dice {score['value']:.2f} on {score['scans']} scans, {score['data']} ({DEFAULT_MODEL})"
    )
    assert card.description in details(card)
    assert f"regions Dice {card.scores[1]['value']:.2f}" in details(card)


def test_all_other_shipped_models_outline_the_skeleton_and_are_for_comparison() -> None:
    default, *others = shipped_models()
    assert not default.is_for_comparison
    assert len(others) == 11
    assert all(card.is_for_comparison and title(card).startswith("Skeleton only: Dice 0.") for card in others)


def test_an_accepted_model_tells_its_judgement(make_model: Callable[..., ModelCard]) -> None:
    scores = [{"metric": "skeleton Dice", "value": 0.912, "data": "corrected, validation", "scans": 1}]
    judgement = "Compared with old (12345678) before it was accepted: Use the new weights."
    card = accept(replace(make_model(), scores=scores, judgement=judgement))
    assert title(card) == f"Named bones: Dice 0.91 on 1 scan, corrected, validation ({label(card)})"
    assert details(card).splitlines() == [
        "Random weights for tests",
        "Scores: skeleton Dice 0.91 on 1 scan, corrected, validation.",
        judgement,
    ]


def test_a_model_without_scores_has_none(make_model: Callable[..., ModelCard]) -> None:
    assert title(make_model(outputs=1)) == "Skeleton only (tiny)"
