from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QObject, Qt, QTimer

from gui.panel_actions import answer
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.common.settings import Setting, remember
from napari_bonescint.gui.correct.controller import CorrectController
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.gui.correct.save_bar import SaveBar
from napari_bonescint.gui.correct.states import StoreOpen, Unsaved, UnsavedScan
from napari_bonescint.gui.widgets.question import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore


@pytest.fixture
def worker(qtbot: QtBot) -> Iterator[FileWorker]:
    parent = QObject()
    worker = FileWorker(parent)
    yield worker
    worker.close()


@pytest.fixture
def saving(store: LabelStore, worker: FileWorker, qtbot: QtBot) -> Iterator[SaveBar]:
    """The buttons, with the first case of the store open and nobody named."""

    def ask_in_bar(case: str) -> Unsaved:
        return ask(saving, "Correct masks", case, "", Unsaved)

    controller = CorrectController(
        ViewerModel(),
        worker.run,
        partial(QTimer.singleShot, 25),
        ask_in_bar,
        "",
        ask_about_scan=lambda _: UnsavedScan.KEEP,
        choose_store=lambda: None,
    )
    saving = SaveBar(controller)
    qtbot.addWidget(saving)
    saving.show()
    controller.open(store.folder, begin=False)
    qtbot.waitUntil(lambda: isinstance(controller.state, StoreOpen))
    item = controller.state.queue.of_case(store.keys()[0])
    assert item is not None
    controller.go_to(item)
    qtbot.waitUntil(lambda: isinstance(controller.state, Correcting))
    yield saving
    controller.close()


def case_of(saving: SaveBar) -> Correcting:
    state = saving._controller.state
    assert isinstance(state, Correcting)
    return state


def draw(saving: SaveBar) -> None:
    case_of(saving).labels[0].data_setitem((np.array([5]), np.array([6])), 13)


def draw_and_keep(saving: SaveBar, worker: FileWorker, qtbot: QtBot) -> None:
    """Draw, and have it kept as a draft once all that was done before is done."""
    done: list[None] = []
    worker.run(lambda: None, done.append, pytest.fail)
    qtbot.waitUntil(lambda: bool(done))
    draw(saving)
    with qtbot.waitSignal(case_of(saving).kept):
        saving._controller.keep()


def sign(saving: SaveBar, qtbot: QtBot, name: str) -> None:
    saving.name.clear()
    qtbot.keyClicks(saving.name, name)
    qtbot.keyClick(saving.name, Qt.Key.Key_Return)


def test_nothing_is_saved_without_a_name(saving: SaveBar, store: LabelStore, qtbot: QtBot) -> None:
    draw(saving)
    qtbot.mouseClick(saving.reviewed_button, Qt.MouseButton.LeftButton)
    assert "Type your name" in saving.status.text()
    assert store.revisions(store.keys()[0]) == []
    # On a Mac, a click on a button leaves the focus in the field.
    qtbot.keyClicks(saving.name, "Ada")
    with qtbot.waitSignal(case_of(saving).saved):
        qtbot.mouseClick(saving.reviewed_button, Qt.MouseButton.LeftButton)
    assert saving.status.text() == "Saved as revision 1, reviewed."
    assert [revision.annotator for revision in store.revisions(store.keys()[0])] == ["Ada"]


def test_a_draft_moves_over_to_another_name(
    saving: SaveBar, worker: FileWorker, store: LabelStore, qtbot: QtBot
) -> None:
    sign(saving, qtbot, "Ada")
    draw_and_keep(saving, worker, qtbot)
    with qtbot.waitSignal(case_of(saving).kept):
        sign(saving, qtbot, "Grace")
    qtbot.waitUntil(lambda: Drafts(store).waiting("Ada") == [])
    (draft,) = Drafts(store).waiting("Grace")
    assert draft.regions[0, 5, 6] == 13


def test_a_draft_stays_under_the_old_name_until_it_is_written_under_the_new_one(
    saving: SaveBar, worker: FileWorker, store: LabelStore, qtbot: QtBot
) -> None:
    sign(saving, qtbot, "Ada")
    draw_and_keep(saving, worker, qtbot)
    (of_ada,) = (store.folder / "drafts").glob("*.npz")
    sign(saving, qtbot, "Grace")
    qtbot.waitUntil(lambda: not of_ada.exists())
    (of_grace,) = (store.folder / "drafts").glob("*.npz")
    of_ada.mkdir()  # where no file can be put
    sign(saving, qtbot, "Ada")
    qtbot.waitUntil(lambda: "stay in the layers" in saving.status.text())
    worker.run(lambda: None, lambda _: None, pytest.fail).result(30)  # what was given before is done
    assert of_grace.exists()


def test_a_draft_that_is_there_under_the_new_name_becomes_a_revision(
    saving: SaveBar, store: LabelStore, qtbot: QtBot, shown: Callable[[], list[str]]
) -> None:
    key = store.keys()[0]
    earlier = np.full(store.scan(key).counts.shape, 7, np.uint8)
    Drafts(store).save(key, "Grace", earlier, Origin.empty())
    sign(saving, qtbot, "Ada")
    draw(saving)
    with qtbot.waitSignal(case_of(saving).saved), qtbot.waitSignal(case_of(saving).kept):
        sign(saving, qtbot, "Grace")
    qtbot.waitUntil(lambda: Drafts(store).waiting("Ada") == [])
    (revision,) = store.revisions(key)
    assert (revision.annotator, revision.reviewed) == ("Grace", False)
    assert shown() == ["Other unsaved work of Grace on this case was saved as revision 1."]
    np.testing.assert_array_equal(store.regions(key, revision.number), earlier)
    (draft,) = Drafts(store).waiting("Grace")
    assert draft.regions[0, 5, 6] == 13


def test_napari_may_not_close_when_saving_failed(saving: SaveBar, store: LabelStore, qtbot: QtBot) -> None:
    sign(saving, qtbot, "Ada")
    draw(saving)
    elsewhere = store.folder.rename(store.folder.with_name("elsewhere"))
    answer("Save")
    assert not saving._controller.may_close()
    assert "stay in the layers" in saving.status.text()
    elsewhere.rename(store.folder)
    answer("Save")
    assert saving._controller.may_close()
    assert store.regions(store.keys()[0], 1)[0, 5, 6] == 13


def test_a_mask_that_was_taken_off_its_scan_is_not_saved(saving: SaveBar, store: LabelStore, qtbot: QtBot) -> None:
    sign(saving, qtbot, "Ada")
    case_of(saving).labels[0].rotate = 10
    qtbot.mouseClick(saving.reviewed_button, Qt.MouseButton.LeftButton)
    labels = case_of(saving).labels[0].name
    assert saving.status.text().startswith(f"{labels}: does not lie exactly on its image; undo the move")
    assert store.revisions(store.keys()[0]) == []


def test_a_name_that_is_typed_in_the_preferences_of_napari_is_taken_once(
    saving: SaveBar, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []
    monkeypatch.setattr(saving._controller, "sign", signed.append)
    for typed in ("Z", "Zo", "Zoë"):
        remember(Setting.ANNOTATOR, typed)
    qtbot.waitUntil(lambda: saving.name.text() == "Zoë")
    assert signed == ["Zoë"]
