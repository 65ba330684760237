from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import load, save

from napari_bonescint.inference.model_card import Int8, ModelError, read_card
from napari_bonescint.inference.model_registry import use
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


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
    [
        ({"grid_mm": 0.0}, "grid_mm is 0.0"),
        ({"grid_mm": 1e9}, "grid_mm is 1000000000.0; it must be from 0.5 to 50"),
        ({"grid_mm": float("nan")}, "grid_mm is nan; it takes a number"),
        ({"grid_mm": "3"}, "grid_mm is '3'; it takes a number"),
        ({"temperature": float("inf")}, "temperature is inf; it takes a number"),
        ({"temperature": -1.0}, "temperature is -1.0; it must be from"),
        ({"outputs": 1.0}, "outputs is 1.0; it takes a whole number"),
        ({"outputs": 10**6}, "outputs is 1000000; it must be from 1 to 17"),
        ({"parameters": "many"}, "parameters is 'many'; it takes a whole number"),
        ({"name": 5}, "name is 5; it takes a text"),
        ({"name": "../evil"}, "name is '../evil', which is not a valid file name"),
        ({"weights_sha256": "../../evil"}, "weights_sha256 is not a SHA-256"),
        ({"description": ["a"]}, r"description is \['a'\]; it takes a text"),
        ({"mirrored": "yes"}, "mirrored is 'yes'; it takes true or false"),
        ({"purpose": "magic"}, "purpose is 'magic'; it must be one of segmenting, finding hot spots"),
        ({"limits": "none"}, "limits is 'none'; it takes a list"),
        ({"training": []}, r"training is \[\]; it takes an object with names"),
        ({"scores": [{"metric": "Dice"}]}, "there is no value"),
        (
            {"scores": [{"metric": "Dice", "value": "high", "data": "d", "scans": 1}]},
            "value is 'high'; it takes a number",
        ),
        ({"scores": [None]}, "None is no object|is None; it takes an object with names"),
    ],
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


def rewrite(card: ModelCard, weights: dict[str, np.ndarray]) -> ModelCard:
    """The card of other weights in the same place."""
    data = save(weights)
    card.weights_path.write_bytes(data)
    assert card.path is not None
    card.path.write_text(replace(card, weights_sha256=hashlib.sha256(data).hexdigest()).to_json(), encoding="utf-8")
    return read_card(card.path)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number_is_refused_by_whoever_loads_or_uses_the_model(
    make_model: Callable[..., ModelCard], number: float
) -> None:
    card = make_model()
    weights = load(card.read_weights())
    name = sorted(weights)[-1]
    weights[name] = np.array(weights[name])
    weights[name].flat[-1] = number
    card = rewrite(card, weights)
    for load_it in (card.read_weights, lambda: Segmenter(card, "cpu"), lambda: use(card)):
        with pytest.raises(
            ModelError, match=rf"tiny\.safetensors: holds no usable weights \(tensor '{name}' has weights that are not"
        ):
            load_it()


@pytest.mark.parametrize(
    ("kind", "number", "reason"),
    [(np.int8, 1, "has the type 'I8'"), (np.float64, 1e300, "has weights that are not finite")],
)
def test_weights_of_another_type_or_beyond_single_precision_are_refused(
    make_model: Callable[..., ModelCard], kind: type, number: float, reason: str
) -> None:
    card = make_model()
    weights = {name: np.full_like(values, number, kind) for name, values in load(card.read_weights()).items()}
    with pytest.raises(ModelError, match=rf"holds no usable weights \(tensor '\S+' {reason}"):
        rewrite(card, weights).read_weights()


def test_weights_so_large_that_the_result_is_no_number_are_refused_and_give_no_empty_mask(
    make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model()
    weights = {name: np.full_like(values, 1e30) for name, values in load(card.read_weights()).items()}
    with pytest.raises(ModelError, match="Model tiny computed values that are not finite"):
        Segmenter(rewrite(card, weights), "cpu").segment(scan)


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 40, bytes(8) + b"{}", b"\2\0\0\0\0\0\0\0[]", b"\4\0\0\0\0\0\0\0null"]
)
def test_a_file_that_holds_no_weights_is_one_sentence(make_model: Callable[..., ModelCard], content: bytes) -> None:
    card = make_model()
    card.weights_path.write_bytes(content)
    assert card.path is not None
    card.path.write_text(replace(card, weights_sha256=hashlib.sha256(content).hexdigest()).to_json(), encoding="utf-8")
    with pytest.raises(ModelError, match=r"tiny\.safetensors: "):
        Segmenter(read_card(card.path), "cpu")
