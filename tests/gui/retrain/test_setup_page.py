from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt

from napari_bonescint.gui.retrain.setup_page import SetupPage
from napari_bonescint.inference.model_registry import current_model, label, use
from napari_bonescint.training.data.data_summary import DataSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.inference.model_card import ModelCard


@pytest.fixture
def setup(background: FileWorker, qtbot: QtBot) -> Iterator[SetupPage]:
    setup = SetupPage(background)
    qtbot.addWidget(setup)
    yield setup
    setup.devices.close_child()


def titles(setup: SetupPage) -> list[str]:
    combo = setup.recipes.native
    return [combo.itemText(row) for row in range(combo.count())]


def test_what_is_chosen_is_what_is_wanted(
    setup: SetupPage, tiny_recipe: Path, store: LabelStore, make_model: Callable[..., ModelCard], qtbot: QtBot
) -> None:
    use(make_model())
    setup.stores.add(store.folder)
    setup.add_recipe(tiny_recipe)
    with qtbot.waitSignal(setup.start_requested) as wanted:
        qtbot.mouseClick(setup.button, Qt.MouseButton.LeftButton)
    (settings,) = wanted.args
    assert settings.plan.recipe == str(tiny_recipe)
    assert settings.stores == (str(store.folder),)
    assert settings.start == str(current_model().weights_path)
    assert settings.device == "auto"


def test_the_shipped_recipes_are_offered_with_what_they_do(setup: SetupPage, qtbot: QtBot) -> None:
    assert titles(setup) == ["quick: 10 minutes", "full"]
    assert setup.plan.minutes == 10
    assert setup.description.text()
    qtbot.waitUntil(lambda: f"Starts from {label(current_model())}," in setup.model.text())


@pytest.mark.parametrize(("patients", "offered"), [(18, True), (40, False), (4, False)])
def test_few_patients_are_offered_folds(
    setup: SetupPage, store: LabelStore, patients: int, offered: bool, qtbot: QtBot
) -> None:
    setup.stores.add(store.folder)
    qtbot.waitUntil(lambda: "no reviewed mask" in setup.stores.supply.text())
    assert setup.folds.native.isHidden()
    setup.stores.counted.emit(DataSummary(2 * patients, patients - 4, 4, 2, 4, 2))
    assert setup.folds.native.isHidden() is not offered
    setup.folds.value = True
    with qtbot.waitSignal(setup.start_requested) as wanted:
        qtbot.mouseClick(setup.button, Qt.MouseButton.LeftButton)
    assert wanted.args[0].folds == (5 if offered else 0)


def test_without_a_store_nothing_starts(setup: SetupPage, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(setup.start_requested, wait=200):
        qtbot.mouseClick(setup.button, Qt.MouseButton.LeftButton)
    assert "Add a label store" in setup.message.text()


def test_a_file_that_is_no_recipe_is_one_sentence(
    setup: SetupPage, tmp_path: Path, shown: Callable[[], list[str]]
) -> None:
    (tmp_path / "odd.toml").write_text("steps = 'many'")
    setup.add_recipe(tmp_path / "odd.toml")
    assert "odd.toml" in shown()[-1]
    assert titles(setup) == ["quick: 10 minutes", "full"]
