"""Which store and case are open, and that no stroke is lost, without any window: a real store and a real viewer."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from gui.correct.plain_worker import PlainWorker
from napari_bonescint.corrections.open_cases import CaseMark
from napari_bonescint.corrections.queue import queue_of_store
from napari_bonescint.corrections.scan_drafts import ScanDrafts, drafts_folder
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.gui.correct.controller import CorrectController
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.correct.states import NoStore, StoreOpen, Unsaved, UnsavedScan
from napari_bonescint.gui.layers.labels import all_labels_of, empty_labels, set_regions
from napari_bonescint.gui.layers.scans import scans_to_layers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_bonescint.gui.correct.open_case import OpenCase
    from napari_bonescint.scan import Scan

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


@pytest.fixture
def worker() -> Iterator[PlainWorker]:
    worker = PlainWorker()
    yield worker
    worker.close()


class Desk:
    """A controller, and what it tells and asks."""

    def __init__(self, worker: PlainWorker) -> None:
        self.viewer = ViewerModel()
        self.asked: list[str] = []
        self.answer: Callable[[], Any] = lambda: pytest.fail("nothing was to be asked")
        self.store: Path | None = None
        self.came_forward = 0
        self.status: list[str] = []
        self.said: list[str] = []
        self.tools: list[OpenCase | None] = []
        self.controller = CorrectController(
            self.viewer,
            worker.run,
            lambda _: None,
            self._ask,
            "AB",
            ask_about_scan=self._ask,
            choose_store=lambda: self.store,
        )
        self.controller.wanted.connect(self._come)
        self.controller.status.connect(lambda sentence, _wrong: self.status.append(sentence))
        self.controller.message.connect(lambda sentence, _wrong: self.said.append(sentence))
        self.controller.tools_moved.connect(self.tools.append)

    def _come(self) -> None:
        self.came_forward += 1

    def _ask(self, case: str) -> Any:
        self.asked.append(case)
        return self.answer()

    @property
    def case(self) -> Correcting:
        assert isinstance(self.controller.state, Correcting)
        return self.controller.state

    @property
    def scan(self) -> CorrectingScan:
        assert isinstance(self.controller.state, CorrectingScan)
        return self.controller.state

    def open_scan(self, scan: Scan, active: int = 0) -> None:
        """Open a scan as the reader does, and select one of its views."""
        images = [
            self.viewer.add_image(data, **attributes)
            for data, attributes, kind in scans_to_layers([scan])
            if kind == "image"
        ]
        self.viewer.layers.selection.active = images[active]

    def draw(self) -> None:
        state = self.controller.state
        assert isinstance(state, Correcting | CorrectingScan)
        state.labels[0].data_setitem((np.array([5]), np.array([6])), 13)


@pytest.fixture
def desk(worker: PlainWorker) -> Iterator[Desk]:
    desk = Desk(worker)
    yield desk
    desk.controller.close()


@pytest.fixture
def opened(desk: Desk, store: LabelStore, worker: PlainWorker) -> Desk:
    """The first case of the store is being corrected, the next one is read."""
    desk.controller.open(store.folder)
    worker.settle()
    return desk


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


def test_a_scan_is_corrected_in_its_own_layers_without_a_store(
    desk: Desk, scan: Scan, store: LabelStore, worker: PlainWorker
) -> None:
    desk.open_scan(scan)
    layers = list(desk.viewer.layers)
    desk.controller.correct_scan()
    worker.settle()
    state = desk.scan
    assert [layer for layer in desk.viewer.layers if layer in layers] == layers  # no copies
    assert [labels.data.any() for labels in state.labels] == [False, False]
    tools = desk.tools[-1]
    assert tools is not None
    assert (tools.images, tools.labels, tools.model_regions) == (layers, list(state.labels), None)
    desk.draw()
    assert desk.status[-1] == "Not saved yet."
    desk.controller.keep()
    worker.settle()
    drafts = ScanDrafts.of(scan.counts, names_regions=True)
    draft = drafts.find()
    assert draft is not None
    assert draft.regions[0, 5, 6] == 13
    state.labels[0].undo()
    desk.controller.keep()
    worker.settle()
    assert drafts.find() is None
    desk.draw()
    desk.answer = lambda: UnsavedScan.CANCEL
    desk.controller.finish_scan()
    assert desk.controller.state is state
    desk.answer = lambda: UnsavedScan.KEEP
    desk.controller.finish_scan()
    worker.settle()
    assert isinstance(desk.controller.state, NoStore)
    assert desk.tools[-1] is None
    assert state.labels[0].data[5, 6] == 13
    assert drafts.find() is not None
    # The same scan, opened again.
    desk.viewer.layers.clear()
    desk.open_scan(scan, active=1)
    desk.controller.correct_scan()
    worker.settle()
    assert desk.said[-1].startswith("Your unsaved work on")
    assert desk.scan.regions()[0, 5, 6] == 13
    desk.scan.labels[0].undo()
    assert not desk.scan.labels[0].data.any()
    # A case of the work list is opened meanwhile: unsaved work is asked for, and given up.
    desk.draw()
    desk.answer = lambda: UnsavedScan.DISCARD
    left = desk.scan
    desk.controller.open(store.folder)
    worker.settle()
    assert not left.regions().any()
    assert drafts.find() is None
    assert desk.case.key == queue_of_store(store)[0].name


def test_a_scan_with_a_mask_goes_into_a_store_and_on_in_its_layers(
    desk: Desk, scan: Scan, tmp_path: Path, worker: PlainWorker
) -> None:
    desk.open_scan(scan)
    images = list(desk.viewer.layers)
    labels = [desk.viewer.add_layer(empty_labels(image)) for image in images]
    set_regions(labels[1], np.full(scan.counts.shape[1:], 3, np.uint8))
    labels[0].metadata["bonescint"] = labels[1].metadata["bonescint"] = {"model": "tiny", "model_sha256": "0" * 64}
    desk.viewer.layers.selection.active = labels[1]
    desk.controller.correct_scan()
    worker.settle()
    assert desk.scan.labels == tuple(labels)
    desk.draw()
    desk.controller.comment = "rib"
    desk.controller.save_scan()  # the user chooses no store
    assert desk.controller.state is desk.scan
    desk.store = tmp_path / "new store"
    desk.controller.save_scan()
    worker.settle()
    assert desk.case.labels == tuple(labels)
    assert not desk.controller.has_unsaved
    store = LabelStore.open(tmp_path / "new store")
    (revision,) = store.revisions(desk.case.key)
    assert (revision.annotator, revision.reviewed, revision.comment) == ("AB", False, "rib")
    assert str(revision.origin) == "model tiny"
    np.testing.assert_array_equal(store.regions(desk.case.key, 1), desk.case.regions())
    np.testing.assert_array_equal(store.scan(desk.case.key).counts, scan.counts)
    assert not list(drafts_folder().glob("*.npz"))
    labels[0].undo()  # the history goes on, too
    assert labels[0].data[5, 6] == 0
    desk.controller.save(reviewed=True)
    worker.settle()
    assert [each.reviewed for each in store.revisions(desk.case.key)] == [False, True]
    # The scan is the open case now.
    desk.controller.correct_scan()
    assert (desk.came_forward, len(all_labels_of(desk.viewer.layers, images[0]))) == (1, 1)


def test_what_cannot_be_corrected_is_one_sentence(desk: Desk, scan: Scan, worker: PlainWorker) -> None:
    desk.controller.correct_scan()
    assert "Open a bone scan" in desk.said[-1]
    desk.open_scan(scan)
    desk.viewer.add_labels(np.full(scan.counts.shape[1:], 300), scale=scan.spacing, units=("mm", "mm"), name="cells")
    desk.controller.correct_scan()
    assert desk.said[-1].startswith("cells: has the label 300")
    desk.viewer.layers.remove("cells")
    desk.open_scan(scan)
    desk.viewer.layers.selection.clear()
    desk.controller.correct_scan()
    assert "Select a layer of the scan" in desk.said[-1]
    worker.settle()
    assert isinstance(desk.controller.state, NoStore)


def test_removed_layers_of_a_scan_leave_a_draft(desk: Desk, scan: Scan, worker: PlainWorker) -> None:
    desk.open_scan(scan)
    desk.controller.correct_scan()
    worker.settle()
    desk.draw()
    desk.viewer.layers.clear()
    worker.settle()
    assert isinstance(desk.controller.state, NoStore)
    assert ScanDrafts.of(scan.counts, names_regions=True).find() is not None
    assert "open it again" in desk.said[-1]


def test_a_window_that_closes_saves_a_scan_into_a_store(
    desk: Desk, scan: Scan, store: LabelStore, worker: PlainWorker
) -> None:
    desk.open_scan(scan)
    desk.controller.correct_scan()
    worker.settle()
    desk.draw()
    desk.answer = lambda: UnsavedScan.SAVE
    assert not desk.controller.may_close()  # no store was chosen
    desk.store = store.folder
    assert desk.controller.may_close()
    key = store.find(scan)
    assert key is not None
    assert store.regions(key, 1)[0, 5, 6] == 13


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
from napari_bonescint.corrections.open_cases import CaseMark
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
