"""Whoever opens a case hears of the others who work on it, and from which mask their own work starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.store.drafts import Draft, Drafts
from napari_bonescint.corrections.store.records.revision import Origin, Revision
from napari_bonescint.corrections.work_list.other_annotators import others_work, saved_meanwhile

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.corrections.store.label_store import LabelStore

NO_MASK = np.zeros((1, 1, 1), np.uint8)


def revision(number: int, annotator: str, *, reviewed: bool = False) -> Revision:
    when = f"2026-03-0{number}T09:30:00+00:00"
    return Revision(number, annotator, when, reviewed, "", Origin.empty(), True, "", "")


def draft(annotator: str, origin: Origin) -> Draft:
    return Draft("case", annotator, "2026-03-05T10:15:00+00:00", origin, NO_MASK)


FIRST, SECOND = revision(1, "AB", reviewed=True), revision(2, "CD")


@pytest.mark.parametrize(
    ("annotator", "revisions", "drafts", "own", "sentence"),
    [
        pytest.param("AB", [], [], None, "", id="nobody"),
        pytest.param("AB", [FIRST], [], None, "", id="only oneself"),
        pytest.param(
            "CD",
            [FIRST],
            [],
            None,
            "AB saved revision 1, reviewed, on 2026-03-01 09:30 UTC. "
            "Your mask starts from revision 1; all work is kept.",
            id="another",
        ),
        pytest.param(
            "AB",
            [FIRST, SECOND],
            [],
            draft("AB", Origin.of_revision(1)),
            "CD saved revision 2, not reviewed, on 2026-03-02 09:30 UTC. "
            "Your unsaved work began with revision 1; all work is kept.",
            id="another, while one's own work was a draft",
        ),
        pytest.param("CD", [FIRST, SECOND], [], None, "", id="another, before one's own revision"),
        pytest.param(
            "CD",
            [FIRST, SECOND],
            [draft("AB", Origin.of_revision(1))],
            None,
            "AB has unsaved work of 2026-03-05 10:15 UTC. Your mask starts from revision 2; all work is kept.",
            id="a draft of another",
        ),
    ],
)
def test_who_when_reviewed_or_not_and_where_the_own_mask_starts(
    annotator: str, revisions: list[Revision], drafts: list[Draft], own: Draft | None, sentence: str
) -> None:
    origin = Origin.of_revision(revisions[-1].number) if revisions else Origin.empty()
    assert others_work(annotator, revisions, drafts, own, origin) == sentence


def test_revisions_between_opening_and_saving_are_named() -> None:
    revisions = [FIRST, SECOND, revision(3, "AB")]
    assert saved_meanwhile(revisions, 1, revisions[2]) == (
        "Meanwhile saved: revision 2 by CD (not reviewed); all are kept, see Revisions."
    )
    assert saved_meanwhile(revisions, 2, revisions[2]) == ""


def test_a_case_read_before_another_annotator_saved_is_no_longer_current(
    store: LabelStore, case: str, some_regions: Callable[[int], np.ndarray]
) -> None:
    opened = open_case(store, case, "CD")
    assert (opened.others, opened.is_current(store)) == ("", True)
    Drafts(store).save(case, "AB", some_regions(1), Origin.empty())
    assert not opened.is_current(store)
    opened = open_case(store, case, "CD")
    assert "AB has unsaved work of" in opened.others
    assert open_case(store, case, "AB").others == ""
    store.save(case, some_regions(1), Origin.empty(), annotator="AB", reviewed=True)
    assert not opened.is_current(store)
    opened = open_case(store, case, "CD")
    assert "AB saved revision 1" in opened.others
    assert opened.is_current(store)
    store.folder.rename(store.folder.with_name("elsewhere"))
    assert not opened.is_current(store)
