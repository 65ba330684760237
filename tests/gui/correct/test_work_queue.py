from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.work_list.queue import WorkItem, queue_of_store
from napari_bonescint.gui.correct.work_queue import WorkQueue


@pytest.fixture
def queue(tmp_path, scan) -> WorkQueue:
    store = LabelStore.create(tmp_path / "store")
    for number in range(3):
        store.add(replace(scan, counts=scan.counts + np.uint16(number), source_sha256=f"{number}"))
    return WorkQueue(queue_of_store(store))


def test_the_first_comes_before_one_is_open_and_nothing_past_either_end(queue: WorkQueue) -> None:
    first, second, last = queue.items
    assert queue.neighbour(1) is first
    queue.open(first)
    assert (queue.neighbour(1), queue.neighbour(-1)) == (second, None)
    queue.open(last)
    assert (queue.neighbour(1), queue.neighbour(-1)) == (None, second)


def test_an_item_is_found_by_its_case_and_as_it_is_now(queue: WorkQueue) -> None:
    before = queue.items[1]
    assert before.case is not None
    reviewed = WorkItem(replace(before.case, state=CaseState.REVIEWED))
    told: list[int] = []
    queue.changed.connect(told.append)
    queue.update(reviewed)
    assert (told, queue.reviewed) == ([1], 1)
    assert queue.latest(before) is queue.of_case(before.name) is reviewed
    assert queue.of_case("of another store") is None


def reviewed(item: WorkItem) -> WorkItem:
    assert item.case is not None
    return WorkItem(replace(item.case, state=CaseState.REVIEWED))


def test_the_next_to_do_is_the_next_that_is_not_reviewed_and_else_the_first(queue: WorkQueue) -> None:
    first, second, last = queue.items
    assert queue.next_to_do() is first
    queue.open(first)
    queue.update(reviewed(second))
    assert queue.next_to_do() is last
    queue.open(last)
    assert queue.next_to_do() is first
    queue.update(reviewed(first))
    assert queue.next_to_do() is None


def test_the_case_that_was_open_last_comes_first(queue: WorkQueue) -> None:
    again = WorkQueue(queue.items, place=1)
    assert (again.open_row, again.place) == (-1, 1)
    assert again.neighbour(1) is again.items[1]
    again.open(again.items[2])
    assert again.place == 2
