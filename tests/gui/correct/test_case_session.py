from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_bonescint.corrections.opening import OpenedCase
from napari_bonescint.corrections.store.revision import Origin, Revision
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.correct.case_session import CaseSession
from napari_bonescint.gui.layers.labels import empty_labels

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

MODEL = Origin.of_model("tiny", "0" * 64)


def case_of(scan: Scan) -> OpenedCase:
    """A case whose mask, a bar in each view, is of a model."""
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:110, 25:40] = 3
    windows = tuple(contrast_limits(counts) for counts in scan.counts)
    return OpenedCase("0" * 16, scan, windows, (), None, regions, True, MODEL, None)


@pytest.fixture
def session(scan: Scan) -> CaseSession:
    case = case_of(scan)
    return CaseSession(case, [Labels(plane.copy()) for plane in case.regions])


def draw(session: CaseSession) -> None:
    session.labels[1].data_setitem((np.array([5]), np.array([5])), 13)


def revision(number: int) -> Revision:
    return Revision(number, "AB", "2026-03-01T09:30:00+00:00", True, "", MODEL, True, "0" * 64, "0" * 64)


def test_labels_that_were_taken_off_their_image_are_named(scan: Scan) -> None:
    images = [Image(counts) for counts in scan.counts]
    bound = [empty_labels(image) for image in images]
    case = CaseSession(case_of(scan), bound)
    images[0].rotate = 5
    assert case.displaced() == []  # labels go with their image
    bound[1].affine = [[1, 0, 3], [0, 1, 0], [0, 0, 1]]
    assert case.displaced() == [bound[1].name]


def test_what_is_drawn_is_a_change_until_it_is_undone(session: CaseSession) -> None:
    assert not session.is_changed()
    draw(session)
    assert session.is_changed()
    session.labels[1].undo()
    assert not session.is_changed()


def test_fresh_starts_are_undone_one_by_one_with_where_each_came_from(session: CaseSession) -> None:
    before = session.regions()
    session.start_from(np.zeros_like(before), Origin.empty())
    session.start_from(np.full_like(before, 7), Origin.of_revision(2))
    assert session.origin == Origin.of_revision(2)
    for expected in (Origin.empty(), MODEL):
        for labels in session.labels:
            labels.undo()
        assert session.origin == expected
    np.testing.assert_array_equal(session.regions(), before)


def test_after_saving_the_mask_is_made_from_that_revision(session: CaseSession) -> None:
    draw(session)
    session.note_saved(revision(4), session.regions())
    assert not session.is_changed()
    assert session.origin == Origin.of_revision(4)


def test_what_was_drawn_while_it_was_saved_is_still_unsaved(session: CaseSession) -> None:
    saved = session.regions()
    draw(session)
    session.note_saved(revision(1), saved)
    assert session.is_changed()


def test_work_that_was_given_up_is_no_change_and_later_work_is(session: CaseSession) -> None:
    draw(session)
    session.give_up()
    assert not session.is_changed()
    session.labels[0].fill((50, 30), 9)
    assert session.is_changed()
