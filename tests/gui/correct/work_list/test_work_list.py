from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt

from napari_bonescint.corrections.store.records.revision import Origin, Revision
from napari_bonescint.corrections.work_list.queue import WorkItem, after_saving, queue_of_store
from napari_bonescint.gui.correct.work_list.work_list import WorkList
from napari_bonescint.gui.correct.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore


@pytest.fixture
def work(store: LabelStore, qtbot: QtBot) -> Iterator[WorkList]:
    """The list of three cases, none of them open."""
    work = WorkList()
    qtbot.addWidget(work)
    work.show_queue(WorkQueue(queue_of_store(store)), lambda item: store.scan(item.name))
    work.resize(300, 400)
    work.show()
    yield work
    work.close_pictures()


def asked_for(work: WorkList) -> list[WorkItem]:
    asked: list[WorkItem] = []
    work.chosen.connect(asked.append)
    return asked


def test_next_and_previous_go_from_the_open_case_and_end_at_the_ends(work: WorkList, qtbot: QtBot) -> None:
    first, second, last = work.model.queue.items
    asked = asked_for(work)
    qtbot.mouseClick(work.next_button, Qt.MouseButton.LeftButton)
    work.model.queue.open(first)
    assert not work.previous_button.isEnabled()
    qtbot.mouseClick(work.next_button, Qt.MouseButton.LeftButton)
    work.model.queue.open(last)
    assert not work.next_button.isEnabled()
    work.open_next()
    qtbot.mouseClick(work.previous_button, Qt.MouseButton.LeftButton)
    assert asked == [first, second, second]


def test_a_click_asks_for_a_case_also_for_the_open_one_which_may_have_been_left(work: WorkList, qtbot: QtBot) -> None:
    work.model.queue.open(work.model.queue.items[0])
    asked = asked_for(work)
    for row in (0, 2):
        place = work.view.visualRect(work.model.index(row)).center()
        qtbot.mouseClick(work.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert asked == [work.model.queue.items[row] for row in (0, 2)]
    work.show_open()
    assert work.view.currentIndex().row() == 0


def test_a_case_that_was_reviewed_keeps_its_row(work: WorkList) -> None:
    names = [item.name for item in work.model.queue.items]
    item = work.model.queue.items[0]
    work.model.queue.open(item)
    assert item.case is not None
    saved = Revision(1, "AB", "2026-03-01T09:30:00+00:00", True, "", Origin.empty(), True, "0" * 64, "0" * 64)
    work.model.queue.update(WorkItem(after_saving(item.case, saved)))
    assert [each.name for each in work.model.queue.items] == names
    assert work.place.text() == "1 of 3 · 1 reviewed"
    assert work.model.index(0).data() == f"{names[0]}, reviewed"
