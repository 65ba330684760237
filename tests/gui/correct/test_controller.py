"""Which store and case are open, and that no stroke is lost, without any window: a real store and a real viewer."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels

from gui.correct.desk import Desk
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.queue import queue_of_store
from napari_bonescint.gui.correct.states import NoStore, StoreOpen, Unsaved

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from gui.correct.plain_worker import PlainWorker


WITHOUT_QT = """
import sys
from pathlib import Path

class NoQt:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"qtpy", "superqt", "PySide6", "PyQt6"}:
            raise ImportError(f"{name} is not there")

sys.meta_path.insert(0, NoQt())
import numpy as np
from napari.components import ViewerModel
from gui.correct.plain_worker import PlainWorker
from napari_bonescint.gui.correct.controller import CorrectController

worker = PlainWorker()
asked = lambda *_: sys.exit("asked")
controller = CorrectController(
    ViewerModel(), worker.run, lambda _: None, asked, "AB", ask_about_scan=asked, choose_store=asked
)
controller.open(Path(sys.argv[1]))
worker.settle()
controller.state.labels[0].data_setitem((np.array([5]), np.array([6])), 13)
controller.save(reviewed=True)
worker.settle()
controller.close()
worker.close()
"""


def test_everything_but_the_window_works_where_there_is_no_qt(store: LabelStore, pytestconfig: pytest.Config) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_QT, store.folder],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=pytestconfig.rootpath / "tests",
    )
    assert (done.returncode, done.stderr) == (0, "")
    first = queue_of_store(LabelStore.open(store.folder))[-1].name
    assert store.regions(first, 1)[0, 5, 6] == 13


def test_no_store_then_a_store_then_a_case(desk: Desk, store: LabelStore, worker: PlainWorker) -> None:
    first, second, third = (item.name for item in queue_of_store(store))
    controller = desk.controller
    assert isinstance(controller.state, NoStore)
    controller.save(reviewed=True)
    controller.start_empty()
    controller.keep()
    assert controller.may_close()
    controller.open(store.folder, begin=False)
    assert isinstance(controller.state, NoStore)
    worker.settle()
    assert type(controller.state) is StoreOpen
    assert [item.name for item in controller.state.queue.items] == [first, second, third]
    assert (desk.said, desk.tools[-1]) == (["Opening …", ""], None)
    controller.go_to(controller.state.queue.items[1])
    assert type(controller.state) is StoreOpen
    worker.settle()
    assert desk.case.key == second
    assert desk.tools[-1] is not None
    np.testing.assert_array_equal(desk.tools[-1].regions(), desk.case.regions())
    assert desk.status[-1] == "No unsaved corrections."


def test_a_store_that_is_none_leaves_the_case_open(opened: Desk, tmp_path: Path, worker: PlainWorker) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("no store")
    before = opened.case
    opened.controller.open(tmp_path / "other")
    worker.settle()
    assert "other" in opened.said[-1]
    assert opened.controller.state is before


def test_cancel_stays_save_saves_and_discard_forgets(opened: Desk, store: LabelStore, worker: PlainWorker) -> None:
    controller, first = opened.controller, opened.case.key
    opened.draw()
    assert opened.status[-1] == "Not saved yet."
    opened.answer = lambda: Unsaved.CANCEL
    controller.go_to(opened.case.queue.items[1])
    worker.settle()
    assert (opened.case.key, opened.asked) == (first, [first])
    assert [draft.case for draft in Drafts(store).waiting("AB")] == [first]
    opened.answer = lambda: Unsaved.SAVE
    controller.go_to(opened.case.queue.items[1])
    worker.settle()
    (revision,) = store.revisions(first)
    assert (revision.reviewed, store.regions(first, 1)[0, 5, 6]) == (False, 13)
    second = opened.case.key
    assert second != first
    opened.draw()
    opened.answer = lambda: Unsaved.DISCARD
    controller.go_to(opened.case.queue.items[2])
    worker.settle()
    assert opened.case.key not in (first, second)
    assert store.revisions(second) == []
    assert Drafts(store).waiting("AB") == []


def test_work_is_a_draft_when_its_case_goes_while_the_question_is_open(
    opened: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    first, (_, second, third) = opened.case.key, opened.case.queue.items
    opened.controller.go_to(third)  # which takes a moment
    opened.draw()

    def answer() -> Unsaved:
        worker.settle()
        return Unsaved.SAVE

    opened.answer = answer
    opened.controller.go_to(second)
    worker.settle()
    assert opened.case.key == third.name
    assert [store.revisions(item.name) for item in (second, third)] == [[], []]
    (draft,) = Drafts(store).waiting("AB")
    assert (draft.case, draft.regions[0, 5, 6]) == (first, 13)


def test_a_revision_that_is_written_late_counts_for_its_own_case(
    opened: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    first = opened.case
    opened.draw()
    opened.controller.save(reviewed=True)
    opened.answer = lambda: Unsaved.DISCARD
    opened.controller.go_to(first.queue.items[1])  # at once, since it was read ahead
    assert opened.case is not first
    worker.settle()
    assert [item.state for item in first.queue.items] == ["reviewed", "predicted", "predicted"]
    assert opened.case.case.revisions == ()
    assert opened.status[-1] == "No unsaved corrections."
    assert len(store.revisions(first.key)) == 1


def test_strokes_drawn_while_the_next_case_is_read_are_kept(
    opened: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    first = opened.case.key
    opened.controller.go_to(opened.case.queue.items[2])
    opened.draw()
    worker.settle()
    assert opened.case.key != first
    (draft,) = Drafts(store).waiting("AB")
    assert (draft.case, draft.regions[0, 5, 6]) == (first, 13)


def test_a_comment_goes_with_one_revision(opened: Desk, store: LabelStore, worker: PlainWorker) -> None:
    opened.controller.comment = " bladder removed "
    opened.controller.save(reviewed=True)
    worker.settle()
    assert opened.status[-1] == "Saved as revision 1, reviewed."
    opened.controller.save(reviewed=False)
    worker.settle()
    assert [revision.comment for revision in store.revisions(opened.case.key)] == ["bladder removed", ""]
    assert [revision.number for revision in opened.case.case.revisions] == [1, 2]


def test_when_the_store_has_vanished_the_case_stays_open_and_unsaved(
    opened: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    opened.draw()
    elsewhere = store.folder.rename(store.folder.with_name("elsewhere"))
    for act in (lambda: opened.controller.save(reviewed=True), opened.controller.keep):
        act()
        worker.settle()
        assert opened.status[-1].endswith("Your corrections stay in the layers.")
        assert opened.controller.has_unsaved
    opened.answer = lambda: Unsaved.SAVE
    assert not opened.controller.may_close()
    elsewhere.rename(store.folder)
    assert opened.controller.may_close()
    assert store.regions(opened.case.key, 1)[0, 5, 6] == 13


def test_a_removed_layer_ends_the_case_with_a_draft(opened: Desk, store: LabelStore, worker: PlainWorker) -> None:
    first = opened.case.key
    opened.draw()
    opened.viewer.layers.remove(next(layer for layer in opened.viewer.layers if isinstance(layer, Labels)))
    worker.settle()
    assert type(opened.controller.state) is StoreOpen
    assert opened.tools[-1] is None
    (draft,) = Drafts(store).waiting("AB")
    assert (draft.case, draft.regions[0, 5, 6]) == (first, 13)


def test_whoever_signs_is_offered_their_drafts_and_gets_back_the_one_of_the_open_case(
    opened: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    first, second, _ = (item.name for item in opened.case.queue.items)
    mask = np.full(opened.case.regions().shape, 5, np.uint8)
    for case in (first, second):
        Drafts(store).save(case, "CD", mask, Origin.empty())
    offered: list[list[str]] = []
    opened.controller.drafts_offered.connect(lambda drafts: offered.append([draft.case for draft in drafts]))
    opened.controller.sign("CD")
    worker.settle()
    assert offered == [[second]]
    assert (opened.case.key, opened.controller.has_unsaved) == (first, True)
    np.testing.assert_array_equal(opened.case.regions(), mask)


def test_closing_keeps_what_is_unsaved_and_lets_go_of_the_viewer(store: LabelStore, worker: PlainWorker) -> None:
    desk = Desk(worker)
    desk.controller.open(store.folder)
    worker.settle()
    desk.draw()
    key = desk.case.key
    desk.controller.close()
    worker.settle()
    (draft,) = Drafts(store).waiting("AB")
    assert (draft.case, draft.regions[0, 5, 6]) == (key, 13)
    told = list(desk.said)
    desk.viewer.layers.clear()
    assert desk.said == told


def test_save_and_next_goes_to_the_next_that_needs_work_until_none_does(
    opened: Desk, store: LabelStore, worker: PlainWorker
) -> None:
    controller, (first, second, third) = opened.controller, opened.case.queue.items
    store.save(second.key, opened.case.regions(), Origin.empty(), annotator="CD", reviewed=True)
    controller.open(store.folder, anew=True)
    worker.settle()
    assert opened.case.key == first.key
    opened.draw()
    controller.save_and_next()
    worker.settle()
    assert (opened.case.key, opened.asked) == (third.key, [])
    assert [revision.reviewed for revision in store.revisions(first.key)] == [True]
    controller.save_and_next()
    worker.settle()
    assert opened.case.key == third.key
    assert opened.said[-1] == "All cases of this list are reviewed."


def test_a_missing_name_stays_on_the_screen_until_it_is_typed(opened: Desk, worker: PlainWorker) -> None:
    controller = opened.controller
    controller.sign("")
    worker.settle()
    controller.save(reviewed=True)
    assert "Type your name" in opened.status[-1]
    opened.draw()
    controller.keep()
    worker.settle()
    assert "Type your name" in opened.status[-1]
    controller.sign("CD")
    assert opened.status[-1] == "Not saved yet."


def test_a_store_comes_back_with_its_place_and_no_case(opened: Desk, store: LabelStore, worker: PlainWorker) -> None:
    controller, second = opened.controller, opened.case.queue.items[1]
    controller.go_to(second)
    worker.settle()
    controller.resume(store.folder)
    worker.settle()
    assert type(controller.state) is StoreOpen
    assert controller.state.queue.place == 1
    controller.open(store.folder)
    worker.settle()
    assert opened.case.key == second.key
