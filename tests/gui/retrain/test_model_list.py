from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt

from napari_bonescint.gui.retrain.model_list import ModelList
from napari_bonescint.inference.model_registry import current_model, label, use

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.inference.model_card import ModelCard


def names_in(models: ModelList) -> list[str]:
    return [models.list.item(row).text() for row in range(models.list.count())]


def test_an_older_model_is_used_again(
    make_model: Callable[..., ModelCard], background: FileWorker, qtbot: QtBot
) -> None:
    default, new = current_model(), use(make_model())
    models = ModelList(background)
    qtbot.addWidget(models)
    qtbot.waitUntil(lambda: names_in(models) == [f"{label(new)}, in use", default.name])
    assert "Random weights for tests" in models.description.text()
    assert not models.button.isEnabled()
    models.list.setCurrentRow(1)
    with qtbot.waitSignal(models.changed):
        qtbot.mouseClick(models.button, Qt.MouseButton.LeftButton)
    assert current_model() == default
    qtbot.waitUntil(lambda: names_in(models) == [label(new), f"{default.name}, in use"])


def test_a_damaged_model_is_one_sentence(
    make_model: Callable[..., ModelCard], background: FileWorker, qtbot: QtBot
) -> None:
    default, new = current_model(), use(make_model())
    use(default)
    new.weights_path.write_bytes(b"damaged")
    models = ModelList(background)
    qtbot.addWidget(models)
    qtbot.waitUntil(lambda: models.list.count() == 2)
    models.list.setCurrentRow(0)
    qtbot.mouseClick(models.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "SHA-256" in models.description.text())
    assert current_model() == default
