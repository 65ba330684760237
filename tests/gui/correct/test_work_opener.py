"""Work is opened by its kind, nothing happens if the user would rather not, and what is open is named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_bonescint.formats.left_out import LeftOut
from napari_bonescint.gui.correct.folders.store_dialog import StoreDialog
from napari_bonescint.gui.correct.work_opener import WorkOpener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot


@pytest.fixture
def opener(qtbot: QtBot) -> Iterator[WorkOpener]:
    """Qt's own dialogs, which look alike everywhere."""
    before = QApplication.testAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, True)
    opener = WorkOpener()
    qtbot.addWidget(opener)
    yield opener
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, before)


def choose(folder: Path | None) -> None:
    """Choose a folder in the dialog, or cancel it, as soon as it is there."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, QFileDialog):
            QTimer.singleShot(20, answer)
            return
        if folder is None:
            dialog.reject()
        else:
            dialog.setDirectory(str(folder.parent))
            dialog.selectFile(str(folder))
            dialog.accept()

    QTimer.singleShot(0, answer)


def decide(*, make: bool) -> None:
    """Make a store in the dialog, or cancel it, as soon as it is there."""

    def answer() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, StoreDialog):
            QTimer.singleShot(20, answer)
            return
        if make:
            dialog.make_button.click()
        else:
            dialog.reject()

    QTimer.singleShot(0, answer)


def shown_text(opener: WorkOpener) -> str:
    """What a person reads."""
    assert opener.place.textFormat() == Qt.TextFormat.PlainText
    return opener.place.text()


def test_each_way_to_open_work_tells_its_folder_and_cancel_nothing(
    opener: WorkOpener, tmp_path: Path, qtbot: QtBot
) -> None:
    told: list[tuple[str, Path]] = []
    opener.store_chosen.connect(lambda folder: told.append(("store", folder)))
    opener.scans_chosen.connect(lambda folder: told.append(("scans", folder)))
    (tmp_path / "work").mkdir()
    store, new, scans = opener.button.menu().actions()[:3]
    for way in (store, scans):
        choose(None)
        way.trigger()
        assert told == []
    for way in (store, scans):
        choose(tmp_path / "work")
        way.trigger()
    assert told == [("store", tmp_path / "work"), ("scans", tmp_path / "work")]
    for make, expected in ((True, tmp_path / "label store"), (False, None)):
        decide(make=make)
        assert opener.ask_for_store() == expected
    told.clear()
    decide(make=False)
    new.trigger()
    assert told == []
    decide(make=True)
    new.trigger()
    assert told == [("store", tmp_path / "label store")]


def test_a_folder_of_other_files_is_answered_by_a_folder_in_it(opener: WorkOpener, tmp_path: Path) -> None:
    told: list[Path] = []
    opener.store_chosen.connect(told.append)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    store, *_ = opener.button.menu().actions()
    for make in (False, True):
        choose(tmp_path / "photos")
        decide(make=make)
        store.trigger()
    assert told == [tmp_path / "photos" / "label store"]


def test_what_is_open_is_named_and_its_whole_path_is_in_the_tip(opener: WorkOpener) -> None:
    assert shown_text(opener) == "Open a label store, or a folder of scans to correct."
    opener.show_place(Path("/data/labels"), None)
    assert (shown_text(opener), opener.place.toolTip()) == ("labels", str(Path("/data/labels")))
    opener.show_place(Path("/data/labels"), Path("/export/march"))
    assert shown_text(opener) == "march → labels"
    assert opener.place.toolTip() == f"{Path('/export/march')}\nCorrections are saved in {Path('/data/labels')}"
    opener.show_left_out(LeftOut({"Modality is CT.": 2}))
    assert opener.left_out.button.text() == "2 files were left out: why?"


@pytest.mark.parametrize("name", ["R&amp;D <b>2026", "a<i", "märz 李"])
def test_a_name_is_shown_as_it_is_written(opener: WorkOpener, name: str) -> None:
    opener.show_place(Path("/data", name), Path("/export", name))
    assert shown_text(opener) == f"{name} → {name}"


def test_a_disc_that_holds_scans_is_named_by_its_path(opener: WorkOpener) -> None:
    root = Path(Path.cwd().anchor)
    opener.show_place(Path("/data/labels"), root)
    assert shown_text(opener) == f"{root} → labels"


def test_earlier_lists_are_offered_by_name_and_open_at_once(opener: WorkOpener) -> None:
    def titles() -> list[str]:
        return [action.text() for action in opener.button.menu().actions() if not action.isSeparator()]

    usual = titles()
    opener.offer([(Path("/data/first"), Path("/export/R&D")), (Path("/data/second"), None)])
    assert titles() == [*usual[:3], "R&&D → first", "second", *usual[3:]]
    told: list[tuple[Path, Path | None]] = []
    opener.list_chosen.connect(lambda store, scans: told.append((store, scans)))
    for action in opener.button.menu().actions()[4:6]:
        action.trigger()
    assert told == [(Path("/data/first"), Path("/export/R&D")), (Path("/data/second"), None)]
    opener.offer([])
    assert titles() == usual
