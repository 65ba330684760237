"""Accepted models, and which model is in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.inference.model_card import DEFAULT_MODEL, FINDING_HOT_SPOTS, ModelError, shipped_models
from napari_bonescint.inference.model_registry import accept, accepted_models, current_model, find_model, label, use
from napari_bonescint.inference.segmenter import Segmenter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_the_shipped_default_is_in_use_at_first(models_folder: Path) -> None:
    assert current_model().name == DEFAULT_MODEL
    assert accepted_models() == []
    assert not models_folder.exists()


def test_an_accepted_model_outlives_the_file_it_came_from(
    make_model: Callable[..., ModelCard], models_folder: Path
) -> None:
    card = make_model()
    weights = card.weights_path.read_bytes()
    use(card)
    card.weights_path.unlink()
    card.path.unlink()
    assert current_model() == card
    assert current_model().read_weights() == weights
    assert current_model().path.is_relative_to(models_folder)


def test_older_models_stay_and_can_be_used_again(make_model: Callable[..., ModelCard]) -> None:
    first = use(make_model())
    second = use(make_model(seed=1))
    assert first.weights_sha256 != second.weights_sha256
    assert accepted_models() == [second, first]
    assert current_model() == second
    assert find_model("tiny") == second

    use(find_model(label(first)))
    assert current_model() == first
    use(find_model(DEFAULT_MODEL))
    assert current_model().name == DEFAULT_MODEL
    assert accepted_models() == [second, first]


def test_accepting_alone_changes_nothing_that_is_in_use(make_model: Callable[..., ModelCard]) -> None:
    accept(make_model())
    assert current_model().name == DEFAULT_MODEL


def test_accepting_twice_keeps_what_is_there(make_model: Callable[..., ModelCard], models_folder: Path) -> None:
    card = accept(make_model())
    before = {path: path.stat().st_mtime_ns for path in models_folder.rglob("*")}
    assert accept(make_model()) == card
    assert {path: path.stat().st_mtime_ns for path in models_folder.rglob("*")} == before


def test_damaged_weights_are_not_accepted(make_model: Callable[..., ModelCard], models_folder: Path) -> None:
    card = make_model()
    card.weights_path.write_bytes(b"cut off")
    with pytest.raises(ModelError, match="its SHA-256 differs"):
        use(card)
    assert not list(models_folder.glob("*"))
    assert current_model().name == DEFAULT_MODEL


def test_a_shipped_name_is_the_shipped_model(make_model: Callable[..., ModelCard]) -> None:
    impostor = make_model("fdn-5")
    accept(impostor)
    assert find_model("fdn-5") in shipped_models()
    assert find_model(f"fdn-5-{impostor.weights_sha256[:8]}") == impostor


def test_a_model_is_found_by_the_path_of_its_weights(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    assert find_model(str(card.weights_path)) == card


def test_an_unknown_name_lists_the_models(make_model: Callable[..., ModelCard]) -> None:
    mine = label(accept(make_model()))
    with pytest.raises(
        ModelError, match=rf"There is no model 'fdn-99'; choose one of .*{mine}, or give a \.safetensors"
    ):
        find_model("fdn-99")


def test_a_model_in_use_that_is_gone_is_told_and_can_be_left(make_model: Callable[..., ModelCard]) -> None:
    card = use(make_model())
    card.weights_path.unlink()
    card.path.unlink()
    with pytest.raises(ModelError, match=f"There is no model '{label(card)}'"):
        current_model()
    assert accepted_models() == []
    use(find_model(DEFAULT_MODEL))
    assert current_model().name == DEFAULT_MODEL


def test_a_damaged_note_of_what_is_in_use_is_told(models_folder: Path) -> None:
    models_folder.mkdir()
    (models_folder / "current").write_text("phase", encoding="utf-8")
    with pytest.raises(ModelError, match=r"current: does not name a model; use one of the panel Retrain or"):
        current_model()


def test_a_card_with_scores_is_kept_with_them(make_model: Callable[..., ModelCard]) -> None:
    scores = [{"metric": "skeleton Dice", "value": 0.9, "data": "corrected, validation", "scans": 6}]
    assert accept(replace(make_model(), scores=scores)).scores == scores


def test_a_model_that_finds_hot_spots_has_its_own_place_and_segments_nothing(
    make_model: Callable[..., ModelCard],
) -> None:
    finding = make_model("spots", "hot-spot-u-net", 3, purpose=FINDING_HOT_SPOTS)
    used = use(finding)
    assert current_model(FINDING_HOT_SPOTS) == used
    assert current_model().name == DEFAULT_MODEL
    assert accepted_models() == []
    assert accepted_models(FINDING_HOT_SPOTS) == [used]
    assert find_model("spots") == used
    assert all(card.purpose != FINDING_HOT_SPOTS for card in shipped_models())
    with pytest.raises(ModelError, match="spots is for finding hot spots, not for segmenting; choose another model"):
        Segmenter(used)
