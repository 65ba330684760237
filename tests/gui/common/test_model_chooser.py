from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.gui.common.model_chooser import ModelChooser
from napari_bonescint.gui.common.settings import Setting, remember
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.inference.model_card import DEFAULT_MODEL, shipped_models
from napari_bonescint.inference.model_registry import find_model, label, use
from napari_bonescint.inference.model_titles import title

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.inference.model_card import ModelCard


def description_in(chooser: ModelChooser) -> str:
    return chooser.findChild(PlainLabel).text()


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
    assert description_in(chooser).startswith("Random weights for tests")


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
    assert description_in(chooser).startswith("Random weights for tests")


def entries(chooser: ModelChooser) -> list[str]:
    combo = chooser.model.native
    return [combo.itemText(row) for row in range(combo.count())]


def choose(chooser: ModelChooser, start: str) -> None:
    """Choose an entry as a click does."""
    combo = chooser.model.native
    combo.setCurrentIndex(next(row for row, text in enumerate(entries(chooser)) if text.startswith(start)))


def test_models_are_listed_by_purpose_and_those_for_comparison_unfold(
    qtbot: QtBot, make_model: Callable[..., ModelCard]
) -> None:
    accepted = use(make_model())
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    chooser.show()
    assert [text.split(":")[0].split(" (")[0] for text in entries(chooser)] == [
        "Named bones",
        "Named bones",
        "More models, for comparison …",
        "From a file …",
    ]
    assert entries(chooser)[0].endswith(f"({label(accepted)})")
    choose(chooser, "More models")
    qtbot.waitUntil(chooser.model.native.view().isVisible)
    chooser.model.native.hidePopup()
    assert len(entries(chooser)) == 1 + 12 + 1
    assert chooser.card == accepted, "unfolding chooses nothing"
    with qtbot.waitSignal(chooser.chosen) as signal:
        choose(chooser, title(find_model("uri-net")))
    assert signal.args[0].name == chooser.card.name == "uri-net"
    assert chooser.model.native.currentText().startswith("Skeleton only: Dice 0.")
    assert chooser.minimumSizeHint().width() < 300


def test_another_device_is_chosen_for_the_same_model(qtbot: QtBot) -> None:
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    assert chooser.device == "auto"
    with qtbot.waitSignal(chooser.chosen) as signal:
        chooser.devices.box.value = "cpu"
    assert (chooser.device, signal.args) == ("cpu", [chooser.card])


def test_default_model_and_device_of_the_preferences_are_chosen_and_followed(
    qtbot: QtBot, make_model: Callable[..., ModelCard], shown: Callable[[], list[str]]
) -> None:
    card = make_model()
    remember(Setting.MODEL, str(card.weights_path))
    remember(Setting.DEVICE, "cuda:1")
    chooser = ModelChooser()
    qtbot.addWidget(chooser)
    assert (chooser.card, chooser.device) == (card, "cuda:1")
    with qtbot.waitSignal(chooser.chosen):
        remember(Setting.MODEL, "")
    assert chooser.card == find_model(DEFAULT_MODEL)
    remember(Setting.MODEL, DEFAULT_MODEL[:-1])  # not yet typed to the end
    assert chooser.card == find_model(DEFAULT_MODEL)
    remember(Setting.DEVICE, "cpu")
    assert chooser.device == "cpu"
    # A model that is gone is told, and the model in use is chosen.
    again = ModelChooser()
    qtbot.addWidget(again)
    assert again.card == find_model(DEFAULT_MODEL)
    assert shown()[-1].startswith("Preferences, Default model: There is no model")
