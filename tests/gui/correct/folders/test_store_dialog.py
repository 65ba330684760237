"""A store is made in a new folder with a name, and the dialog says beforehand what it will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.gui.correct.folders.store_dialog import StoreDialog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot


@pytest.fixture
def dialog(qtbot: QtBot, tmp_path: Path) -> Iterator[StoreDialog]:
    """The dialog, over a folder that holds a picture; Qt's own dialogs look alike everywhere."""
    (tmp_path / "cat.png").write_bytes(b"cat")
    before = QApplication.testAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = StoreDialog(parent, tmp_path, "A sentence.")
    dialog.open()
    yield dialog
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, before)


def choose(folder: Path) -> None:
    """Choose a folder in Qt's dialog as soon as it is there."""

    def answer() -> None:
        chooser = QApplication.activeModalWidget()
        if not isinstance(chooser, QFileDialog):
            QTimer.singleShot(20, answer)
            return
        chooser.setDirectory(str(folder.parent))
        chooser.selectFile(str(folder))
        chooser.accept()

    QTimer.singleShot(0, answer)


def test_a_new_folder_with_the_usual_name_is_one_click(dialog: StoreDialog, tmp_path: Path, qtbot: QtBot) -> None:
    assert dialog.sentence.text() == f"The label store is made in the new folder {tmp_path / 'label store'}."
    assert dialog.make_button.text() == "Make label store"
    qtbot.mouseClick(dialog.make_button, Qt.MouseButton.LeftButton)
    assert dialog.chosen == tmp_path / "label store"
    assert not dialog.chosen.exists()  # made when it is opened
    assert not dialog.isVisible()


def test_each_name_is_answered_by_what_will_happen(dialog: StoreDialog, tmp_path: Path, qtbot: QtBot) -> None:
    LabelStore.create(tmp_path / "ours")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "cat.png").write_bytes(b"cat")
    expected = {
        "ward 7": ("is made in the new folder", "Make label store", True),
        "ours": ("is a label store; it is opened", "Open label store", True),
        "taken": ("is not empty; type the name of a new folder", "Make label store", False),
        "cat.png": ("is no folder", "Make label store", False),
        "a/b": ("cannot be the name of a folder", "Make label store", False),
        "": ("cannot be the name of a folder", "Make label store", False),
    }
    for name, (words, button, is_enabled) in expected.items():
        dialog.name.native.clear()
        qtbot.keyClicks(dialog.name.native, name)
        assert words in dialog.sentence.text(), name
        assert (dialog.make_button.text(), dialog.make_button.isEnabled()) == (button, is_enabled), name
    dialog.reject()
    assert dialog.chosen is None


def test_an_existing_store_is_chosen_and_a_folder_of_other_files_is_answered_by_a_folder_in_it(
    dialog: StoreDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    choose(tmp_path / "photos")
    qtbot.mouseClick(dialog.existing_button, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    assert dialog.explanation.text() == (
        "photos is not empty, and no label store. A store can be made in a new folder in it."
    )
    assert str(tmp_path / "photos" / "label store") in dialog.sentence.text()
    store = LabelStore.create(tmp_path / "ours").folder
    choose(store)
    qtbot.mouseClick(dialog.existing_button, Qt.MouseButton.LeftButton)
    assert dialog.chosen == store
    assert not dialog.isVisible()
