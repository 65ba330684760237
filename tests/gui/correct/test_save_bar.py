from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image, Labels
from qtpy.QtCore import QObject, Qt

from gui.panel_actions import answer
from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.gui.common.file_worker import FileWorker
from napari_bonescint.gui.correct.case_session import CaseSession
from napari_bonescint.gui.correct.save_bar import Saving
from napari_bonescint.gui.layers.labels import empty_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore


@pytest.fixture
def saving(store: LabelStore, qtbot: QtBot) -> Iterator[Saving]:
    """The buttons, with the first case of the store open and nobody named."""
    parent = QObject()
    background = FileWorker(parent)
    saving = Saving(background)
    qtbot.addWidget(saving)
    saving.show()
    case = open_case(store, store.keys()[0], "")
    saving.begin(CaseSession(case, [Labels(plane.copy()) for plane in case.regions]), store, None)
    yield saving
    saving.end()
    background.close()


def draw(saving: Saving) -> None:
    assert saving._session is not None
    saving._session.labels[0].data_setitem((np.array([5]), np.array([6])), 13)


def sign(saving: Saving, qtbot: QtBot, name: str) -> None:
    saving.name.clear()
    qtbot.keyClicks(saving.name, name)
    qtbot.keyClick(saving.name, Qt.Key.Key_Return)


def test_nothing_is_saved_without_a_name(saving: Saving, store: LabelStore, qtbot: QtBot) -> None:
    draw(saving)
    qtbot.mouseClick(saving.reviewed_button, Qt.MouseButton.LeftButton)
    assert "Type your name" in saving.status.text()
    assert store.revisions(store.keys()[0]) == []
    sign(saving, qtbot, "Ada")
    with qtbot.waitSignal(saving.saved):
        qtbot.mouseClick(saving.reviewed_button, Qt.MouseButton.LeftButton)
    assert saving.status.text() == "Saved as revision 1, reviewed."
    assert [revision.annotator for revision in store.revisions(store.keys()[0])] == ["Ada"]


def test_a_draft_moves_over_to_another_name(saving: Saving, store: LabelStore, qtbot: QtBot) -> None:
    sign(saving, qtbot, "Ada")
    draw(saving)
    with qtbot.waitSignal(saving.autosave.kept):
        pass
    with qtbot.waitSignal(saving.autosave.kept):
        sign(saving, qtbot, "Grace")
    qtbot.waitUntil(lambda: Drafts(store).waiting("Ada") == [])
    (draft,) = Drafts(store).waiting("Grace")
    assert draft.regions[0, 5, 6] == 13


def test_a_draft_stays_under_the_old_name_until_it_is_written_under_the_new_one(
    saving: Saving, store: LabelStore, qtbot: QtBot
) -> None:
    sign(saving, qtbot, "Ada")
    draw(saving)
    with qtbot.waitSignal(saving.autosave.kept):
        pass
    (of_ada,) = (store.folder / "drafts").iterdir()
    sign(saving, qtbot, "Grace")
    qtbot.waitUntil(lambda: not of_ada.exists())
    (of_grace,) = (store.folder / "drafts").iterdir()
    of_ada.mkdir()  # where no file can be put
    sign(saving, qtbot, "Ada")
    qtbot.waitUntil(lambda: "stay in the layers" in saving.status.text())
    saving._background.run(lambda: None, lambda _: None, pytest.fail).result(30)  # what was given before is done
    assert of_grace.exists()


def test_a_draft_that_is_there_under_the_new_name_becomes_a_revision(
    saving: Saving, store: LabelStore, qtbot: QtBot, shown: Callable[[], list[str]]
) -> None:
    key = store.keys()[0]
    earlier = np.full(store.scan(key).counts.shape, 7, np.uint8)
    Drafts(store).save(key, "Grace", earlier, Origin.empty())
    sign(saving, qtbot, "Ada")
    draw(saving)
    with qtbot.waitSignal(saving.saved), qtbot.waitSignal(saving.autosave.kept):
        sign(saving, qtbot, "Grace")
    qtbot.waitUntil(lambda: Drafts(store).waiting("Ada") == [])
    (revision,) = store.revisions(key)
    assert (revision.annotator, revision.reviewed) == ("Grace", False)
    assert shown() == ["Other unsaved work of Grace on this case was saved as revision 1."]
    np.testing.assert_array_equal(store.regions(key, revision.number), earlier)
    (draft,) = Drafts(store).waiting("Grace")
    assert draft.regions[0, 5, 6] == 13


def test_napari_may_not_close_when_saving_failed(saving: Saving, store: LabelStore, qtbot: QtBot) -> None:
    sign(saving, qtbot, "Ada")
    draw(saving)
    elsewhere = store.folder.rename(store.folder.with_name("elsewhere"))
    answer("Save")
    assert not saving.may_close()
    assert "stay in the layers" in saving.status.text()
    elsewhere.rename(store.folder)
    answer("Save")
    assert saving.may_close()
    assert store.regions(store.keys()[0], 1)[0, 5, 6] == 13


def test_a_mask_that_was_taken_off_its_scan_is_not_saved(saving: Saving, store: LabelStore, qtbot: QtBot) -> None:
    sign(saving, qtbot, "Ada")
    assert saving._session is not None
    image = Image(np.ones(saving._session.labels[0].data.shape), name="anterior")
    labels = empty_labels(image)
    case = open_case(store, store.keys()[0], "")
    saving.begin(CaseSession(case, [labels]), store, None)
    labels.rotate = 10
    qtbot.mouseClick(saving.reviewed_button, Qt.MouseButton.LeftButton)
    assert saving.status.text().startswith("anterior bones: not on the image any more; undo the layer's move")
    assert store.revisions(store.keys()[0]) == []
