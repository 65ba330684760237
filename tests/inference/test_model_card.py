from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.inference.model_card import Int8, ModelError, read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_cards_survive_a_round_trip(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    card = replace(card, int8=Int8([(0.0, 5.5), (-1.0, 3.0)], 0.0004, "simulated", 20, card.weights_sha256))
    assert card.path is not None
    card.path.write_text(card.to_json(), encoding="utf-8")
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


def test_a_calibration_of_other_weights_counts_as_none(make_model: Callable[..., ModelCard]) -> None:
    card = replace(make_model(), int8=Int8([(0.0, 5.5)], 0.0004, "simulated", 20, "of what was here before"))
    assert card.path is not None
    card.path.write_text(card.to_json(), encoding="utf-8")
    assert read_card(card.path).int8 is None


@pytest.mark.parametrize("int8", [{"ranges": [[1]]}, {"ranges": []}, [], {"dice_lost": 0}])
def test_a_calibration_that_makes_no_sense_is_named(make_model: Callable[..., ModelCard], int8: object) -> None:
    path = make_model().path
    assert path is not None
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), "int8": int8}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"tiny\.json: is not a model card of this version"):
        read_card(path)


def test_a_card_without_weights_is_named(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    card.weights_path.unlink()
    with pytest.raises(ModelError, match=r"tiny\.safetensors: cannot be read"):
        _ = card.size
