"""What Qt's lists are told: which rows there are, what became of them, and when their pictures can be had."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import QModelIndex, QObject, Qt

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.corrections.work_list.queue import WorkItem, queue_of_store
from napari_bonescint.gui.correct.work_list.model import ITEM, WorkListModel
from napari_bonescint.gui.correct.work_queue import WorkQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan

PICTURE = int(Qt.ItemDataRole.DecorationRole)


@pytest.fixture
def parent(qtbot: QtBot) -> QObject:
    return QObject()


@pytest.fixture
def model(store: LabelStore, parent: QObject) -> Iterator[WorkListModel]:
    """The three cases of a store."""
    model = WorkListModel(parent)
    model.show(WorkQueue(queue_of_store(store)), lambda item: store.scan(item.name))
    yield model
    model.close()


def reviewed(item: WorkItem) -> WorkItem:
    assert item.case is not None
    return WorkItem(replace(item.case, state=CaseState.REVIEWED))


def test_qt_finds_nothing_wrong_with_it(model: WorkListModel, qtmodeltester) -> None:
    qtmodeltester.check(model)


def test_a_row_tells_name_and_state_and_hands_out_its_item(model: WorkListModel, store: LabelStore) -> None:
    assert model.rowCount() == 3
    assert model.rowCount(model.index(0)) == 0
    for row, item in enumerate(queue_of_store(store)):
        assert model.index(row).data() == f"{item.name}, predicted"
        assert model.index(row).data(ITEM) == item
        assert model.queue.row_of(item.identity) == row
    assert model.data(QModelIndex()) is None


def test_what_became_of_a_case_is_told_of_its_row_alone_and_counted_once(model: WorkListModel, qtbot: QtBot) -> None:
    queue = model.queue
    before = queue.items[1]
    for item, count in ((reviewed(before), 1), (reviewed(before), 1), (before, 0)):
        with qtbot.waitSignal(model.dataChanged) as told:
            queue.update(item)
        assert [index.row() for index in told.args[:2]] == [1, 1]
        assert (queue.items[1], queue.reviewed, queue.row_of(item.identity)) == (item, count, 1)


def test_a_case_of_another_list_changes_nothing(model: WorkListModel, qtbot: QtBot) -> None:
    before = list(model.queue.items)
    stranger = reviewed(before[0])
    queue = WorkQueue(before[1:])
    model.show(queue, lambda _item: pytest.fail("nobody looks"))
    with qtbot.assertNotEmitted(model.dataChanged):
        queue.update(stranger)
    assert (queue.items, queue.reviewed, queue.row_of(stranger.identity)) == (before[1:], 0, -1)


def test_a_picture_is_none_until_it_is_made_and_told_of_its_row(model: WorkListModel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(model.dataChanged) as told:
        assert model.index(2).data(PICTURE) is None
    index, _, roles = told.args
    assert (index.row(), roles) == (2, [PICTURE])
    # 131 pixels high and, with both views, 134 wide.
    picture = model.index(2).data(PICTURE)
    assert picture.height() <= 60 < 2 * picture.width()


def test_pictures_come_by_themselves(model: WorkListModel, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: all(model.index(row).data(PICTURE) is not None for row in range(3)))


def test_a_scan_that_cannot_be_read_has_no_picture_and_the_next_one_has(
    model: WorkListModel, store: LabelStore, qtbot: QtBot
) -> None:
    broken = model.queue.items[0].name
    read: list[str] = []

    def read_scan(item: WorkItem) -> Scan:
        read.append(item.name)
        if item.name == broken:
            raise Damaged(f"{broken}: is damaged.")
        return store.scan(item.name)

    model.show(WorkQueue(model.queue.items), read_scan)
    qtbot.waitUntil(lambda: model.index(1).data(PICTURE) is not None)
    with qtbot.waitSignal(model.dataChanged):
        assert model.index(0).data(PICTURE) is None
    assert model.index(0).data(PICTURE) is None
    assert read.count(broken) == 1


def test_a_list_that_is_drawn_once_more_after_it_was_closed_does_without_pictures(model: WorkListModel) -> None:
    model.close()
    assert model.index(0).data(PICTURE) is None
    assert model.index(0).data().endswith("predicted")


def test_the_tip_of_a_row_says_what_its_numbers_mean(model: WorkListModel) -> None:
    item = replace(model.queue.items[0], known_as="a<b")
    model.queue.items[0] = item
    assert model.index(0).data(int(Qt.ItemDataRole.ToolTipRole)).split("<br>") == [
        "<b>a&lt;b</b>",
        f"Case {item.key} of the label store",
        f"Dice {item.case.predicted_dice:.2f}, as the model expects of its mask; 1 is best",
        f"Uncertainty of the model {item.case.uncertainty:.2f}; 0 is none",
    ]
