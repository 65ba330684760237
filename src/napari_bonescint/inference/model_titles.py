"""Titles of models for lists: the purpose and the score, from the model's card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.inference.model_registry import label
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.inference.model_card import ModelCard


def title(card: ModelCard) -> str:
    """One line: ``Named bones: Dice 0.94 on 4 scans, held-out simulated (phase-u-net-regions)``."""
    score = next(iter(card.scores), None)
    # The first set on a card is that of the users' corrected scans, if there are any.
    measured = "" if score is None else f": Dice {score['value']:.2f} on {_scans(score)}"
    return f"{_purpose(card)}{measured} ({label(card)})"


def details(card: ModelCard) -> str:
    """Some lines: the description, all scores, and the judgement by which the model was accepted."""
    return "\n".join([card.description, *_scores(card), *([card.judgement] if card.judgement else [])])


def _purpose(card: ModelCard) -> str:
    return "Named bones" if card.names_regions else "Skeleton only"


def _scores(card: ModelCard) -> Iterator[str]:
    """A line for each set of scans that the model was scored on."""
    for data in dict.fromkeys(score["data"] for score in card.scores):
        of_set = [score for score in card.scores if score["data"] == data]
        values = ", ".join(f"{score['metric']} {score['value']:.2f}" for score in of_set)
        yield f"Scores: {values} on {_scans(of_set[0])}."


def _scans(score: dict[str, object]) -> str:
    return f"{counted(int(str(score['scans'])), 'scan')}, {score['data']}"
