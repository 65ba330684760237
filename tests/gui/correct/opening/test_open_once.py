"""What is open for correction is never opened twice, in this napari or another."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gui.correct.desk import Desk
from napari_bonescint.corrections.work_list.open_cases import CaseMark
from napari_bonescint.corrections.work_list.queue import queue_of_store
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.correct.states import StoreOpen, Unsaved

if TYPE_CHECKING:
    from gui.correct.plain_worker import PlainWorker
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan


def test_what_is_open_already_comes_to_the_front_instead_of_being_opened_twice(
    opened: Desk, scan: Scan, store: LabelStore, worker: PlainWorker
) -> None:
    first, case = opened.case.queue.items[0], opened.case
    opened.draw()
    opened.controller.go_to(first)
    assert (opened.came_forward, opened.case) == (1, case)
    other = Desk(worker)
    other.controller.open(store.folder)
    worker.settle()
    assert type(other.controller.state) is StoreOpen
    assert opened.came_forward == 2
    assert "another window" in other.said[-1]
    # The file of the case, opened before it, and again in the other window.
    files = [replace(scan, source_sha256=f"{number}") for number in range(3)]
    (file,) = [each for each in files if store.find(each) == first.name]
    for desk in (opened, other):
        desk.open_scan(file)
        desk.controller.correct_scan()
    assert opened.came_forward == 4
    assert "already" in other.said[-1]
    assert (opened.case, type(other.controller.state)) == (case, StoreOpen)
    # A scan in no store.
    fresh = replace(scan, counts=scan.counts + np.uint16(9), source_sha256="")
    opened.answer = lambda: Unsaved.DISCARD
    for desk in (opened, other):
        desk.open_scan(fresh)
        desk.controller.correct_scan()
        worker.settle()
    assert isinstance(opened.controller.state, CorrectingScan)
    assert type(other.controller.state) is StoreOpen
    assert opened.came_forward == 5
    opened.controller.finish_scan()
    worker.settle()
    other.controller.correct_scan()
    worker.settle()
    assert isinstance(other.controller.state, CorrectingScan)
    other.controller.close()


HOLDER = """
import sys
from pathlib import Path
from napari_bonescint.corrections.work_list.open_cases import CaseMark
from napari_bonescint.corrections.store.label_store import LabelStore

mark = CaseMark(LabelStore.open(Path(sys.argv[1])), *sys.argv[2:])
print(mark.take(), flush=True)
input()
"""


def test_a_case_open_in_another_napari_is_named_and_one_of_a_dead_napari_is_free(
    desk: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    first = queue_of_store(store)[0].name
    for annotator, sentence in (("AB", "in another napari (AB on"), ("CD", "")):
        command = [sys.executable, "-c", HOLDER, store.folder, first, annotator]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "None\n"
            desk.controller.open(store.folder)
            worker.settle()
            if sentence:
                assert sentence in desk.said[-1]
                assert type(desk.controller.state) is StoreOpen
                assert not desk.viewer.layers
            else:
                assert [str(holder).startswith("CD on") for holder in CaseMark(store, first, "AB").others()] == [True]
                assert desk.case.key == first
            other.kill()
    desk.controller.open(store.folder)
    worker.settle()
    assert desk.case.key == first
    assert CaseMark(store, first, "AB").others() == []
