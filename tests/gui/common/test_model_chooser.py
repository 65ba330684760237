from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QLabel

from napari_bonescint.gui.common.model_chooser import ModelChooser
from napari_bonescint.inference.model_card import DEFAULT_MODEL, shipped_models
from napari_bonescint.inference.model_registry import find_model, use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.inference.model_card import ModelCard


def description_in(chooser: ModelChooser) -> str:

    return chooser.findChild(QLabel).text()


def test_the_default_model_is_chosen_first(qtbot: QtBot) -> None:
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    shipped = shipped_models()
    assert chooser.card == (shipped[0] if shipped else None)


def test_a_model_of_a_file_is_offered_chosen_and_described(qtbot: QtBot, make_model: Callable[..., ModelCard]) -> None:
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    card = make_model()
    with qtbot.waitSignal(chooser.chosen) as signal:
        chooser.add_file(str(card.weights_path))
    assert signal.args == [card]
    assert chooser.card == card
    assert description_in(chooser) == "Random weights for tests"


def test_a_file_without_a_card_is_one_sentence(qtbot: QtBot, tmp_path: Path, shown: Callable[[], list[str]]) -> None:
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    before = chooser.card
    chooser.add_file(str(tmp_path / "nothing.safetensors"))
    assert "nothing.json" in shown()[-1]
    assert chooser.card == before


def test_a_model_put_to_use_is_chosen_and_an_older_one_again(
    qtbot: QtBot, make_model: Callable[..., ModelCard]
) -> None:
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    card = make_model()
    with qtbot.waitSignal(chooser.chosen) as signal:
        use(card)
    assert signal.args == [card]
    assert chooser.card == card
    with qtbot.waitSignal(chooser.chosen):
        use(find_model(DEFAULT_MODEL))
    assert chooser.card.name == DEFAULT_MODEL


def test_the_model_in_use_is_chosen_first(qtbot: QtBot, make_model: Callable[..., ModelCard]) -> None:
    card = use(make_model())
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    assert chooser.card == card
    assert description_in(chooser) == "Random weights for tests"
