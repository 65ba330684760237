from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt

from napari_bonescint.gui.common.settings import Setting, remember, remember_folders
from napari_bonescint.gui.retrain.store_list import StoreList

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.common.file_worker import FileWorker


def test_the_store_that_was_corrected_last_is_offered_first(
    store: LabelStore, background: FileWorker, qtbot: QtBot
) -> None:
    remember(Setting.STORE, str(store.folder))
    stores = StoreList(background)
    qtbot.addWidget(stores)
    assert stores.folders == (store.folder,)
    qtbot.waitUntil(lambda: "no reviewed mask" in stores.supply.text())


def test_stores_are_added_once_removed_by_key_and_remembered(background: FileWorker, qtbot: QtBot) -> None:
    stores = StoreList(background)
    qtbot.addWidget(stores)
    stores.show()
    for name in ("a", "b", "a"):
        stores.add(Path(name))
    assert stores.folders == (Path("a"), Path("b"))
    stores.list.setCurrentRow(0)
    stores.activateWindow()
    stores.list.setFocus()
    qtbot.waitUntil(stores.list.hasFocus)
    qtbot.keyClick(stores.list, Qt.Key.Key_Delete)
    assert stores.folders == (Path("b"),)
    again = StoreList(background)
    qtbot.addWidget(again)
    assert again.folders == (Path("b"),)


def test_the_list_follows_the_preferences_and_the_store_that_is_corrected(background: FileWorker, qtbot: QtBot) -> None:
    stores = StoreList(background)
    qtbot.addWidget(stores)
    remember(Setting.STORE, "corrected")
    qtbot.waitUntil(lambda: stores.folders == (Path("corrected"),))
    remember_folders(Setting.TRAINING_STORES, [Path("a"), Path("b")])
    qtbot.waitUntil(lambda: stores.folders == (Path("a"), Path("b")))
    # What was removed here does not come back.
    for _ in range(2):
        stores.list.setCurrentRow(0)
        qtbot.mouseClick(stores.remove_button, Qt.MouseButton.LeftButton)
    stores._take_remembered()
    assert stores.folders == ()


def test_a_folder_that_is_no_store_is_one_sentence(tmp_path: Path, background: FileWorker, qtbot: QtBot) -> None:
    stores = StoreList(background)
    qtbot.addWidget(stores)
    stores.add(tmp_path)
    qtbot.waitUntil(lambda: str(tmp_path) in stores.supply.text())
