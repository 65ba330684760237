from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.inference.model_card import ModelError, read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_cards_survive_a_round_trip(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    assert read_card(card.path) == card


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"mine\.json: cannot be read"):
        read_card(tmp_path / "mine.json")


def test_a_file_that_is_no_card_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"name": "mine"}', encoding="utf-8")
    with pytest.raises(ModelError, match=r"mine\.json: is not a model card"):
        read_card(path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"grid_mm": 0.0}, "grid_mm is 0.0"), ({"scores": [{"metric": "Dice"}]}, "a score has no")],
)
def test_a_card_that_makes_no_sense_is_named(
    make_model: Callable[..., ModelCard], settings: dict[str, object], message: str
) -> None:
    card = make_model()
    card.path.write_text(replace(card, **settings).to_json(), encoding="utf-8")
    with pytest.raises(ModelError, match=rf"tiny\.json: is not a model card of this version \({message}"):
        read_card(card.path)


def test_a_card_without_weights_is_named(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    card.weights_path.unlink()
    with pytest.raises(ModelError, match=r"tiny\.safetensors: cannot be read"):
        _ = card.size
