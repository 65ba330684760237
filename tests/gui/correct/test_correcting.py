"""What is drawn on a case is a change, a draft or a revision of it, and knows from what it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image, Labels

from gui.correct.plain_worker import PlainWorker
from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.queue import queue_of_store
from napari_bonescint.corrections.work_list.work import Work
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.gui.correct.states import StoreOpen
from napari_bonescint.gui.correct.work_queue import WorkQueue
from napari_bonescint.gui.layers.labels import empty_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan

MODEL = Origin.of_model("tiny", "0" * 64)


@pytest.fixture
def worker() -> Iterator[PlainWorker]:
    worker = PlainWorker()
    yield worker
    worker.close()


@pytest.fixture
def correct(store: LabelStore, worker: PlainWorker) -> Callable[..., Correcting]:
    """Begin to correct the first case, whose mask, a bar in each view, is of a model."""

    def begin(labels: Sequence[Labels] = ()) -> Correcting:
        items = queue_of_store(store)
        opened = StoreOpen(Work(store, None, items, []), WorkQueue(items))
        case = open_case(store, items[0].name, "AB")
        return Correcting(
            opened, items[0], case, labels or [Labels(plane.copy()) for plane in case.regions], "AB", worker.run
        )

    return begin


@pytest.fixture
def case(correct: Callable[..., Correcting]) -> Correcting:
    return correct()


def draw(case: Correcting) -> None:
    case.labels[1].data_setitem((np.array([5]), np.array([5])), 13)


def test_labels_that_were_taken_off_their_image_are_named(scan: Scan, correct: Callable[..., Correcting]) -> None:
    images = [Image(counts) for counts in scan.counts]
    bound = [empty_labels(image) for image in images]
    case = correct(bound)
    images[0].rotate = 5
    assert case.displaced() == []  # labels go with their image
    bound[1].affine = [[1, 0, 3], [0, 1, 0], [0, 0, 1]]
    assert case.displaced() == [bound[1].name]


def test_what_is_drawn_is_a_change_until_it_is_undone(case: Correcting) -> None:
    assert not case.is_changed()
    draw(case)
    assert case.is_changed()
    case.labels[1].undo()
    assert not case.is_changed()


def test_fresh_starts_are_undone_one_by_one_with_where_each_came_from(case: Correcting) -> None:
    before = case.regions()
    case.start_from(np.zeros_like(before), Origin.empty())
    case.start_from(np.full_like(before, 7), Origin.of_revision(2))
    assert case.origin == Origin.of_revision(2)
    for expected in (Origin.empty(), MODEL):
        for labels in case.labels:
            labels.undo()
        assert case.origin == expected
    np.testing.assert_array_equal(case.regions(), before)


def test_after_saving_the_mask_is_made_from_that_revision(
    case: Correcting, store: LabelStore, worker: PlainWorker
) -> None:
    draw(case)
    case.save("", reviewed=True)
    worker.settle()
    assert not case.is_changed()
    (revision,) = store.revisions(case.key)
    assert (revision.origin, case.origin) == (MODEL, Origin.of_revision(revision.number))


def test_what_was_drawn_while_it_was_saved_is_still_unsaved_and_becomes_a_draft(
    case: Correcting, store: LabelStore, worker: PlainWorker
) -> None:
    case.save("", reviewed=True)
    draw(case)
    worker.settle()
    assert case.is_changed()
    case.keep()
    worker.settle()
    draft = Drafts(store).find(case.key, "AB")
    assert draft is not None
    assert (draft.regions[1, 5, 5], draft.origin) == (13, Origin.of_revision(1))


def test_work_that_was_given_up_is_no_change_and_later_work_is(
    case: Correcting, store: LabelStore, worker: PlainWorker
) -> None:
    draw(case)
    case.keep()
    case.discard()
    worker.settle()
    assert not case.is_changed()
    assert Drafts(store).waiting("AB") == []
    case.labels[0].fill((50, 30), 9)
    assert case.is_changed()


def test_a_draft_is_brought_back_as_a_step_that_undo_takes_out(
    correct: Callable[..., Correcting], store: LabelStore, worker: PlainWorker
) -> None:
    first = correct()
    before = first.regions()
    draw(first)
    first.stop()
    worker.settle()
    again = correct()
    assert again.is_changed()
    assert again.regions()[1, 5, 5] == 13
    again.labels[1].undo()
    np.testing.assert_array_equal(again.regions(), before)
    again.keep()
    worker.settle()
    assert Drafts(store).waiting("AB") == []


def test_who_gives_two_names_in_a_row_has_one_draft_under_the_last(
    case: Correcting, store: LabelStore, worker: PlainWorker
) -> None:
    draw(case)
    case.keep()
    for name in ("CD", "EF"):
        case.sign(name)
    worker.settle()
    assert [len(Drafts(store).waiting(name)) for name in ("AB", "CD", "EF")] == [0, 0, 1]
