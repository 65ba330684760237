from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.queue import WorkItem, in_order, queue_of_folder, teaching_value
from napari_bonescint.corrections.store.index import CaseState, CaseSummary
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def case(key: str, state: CaseState, dice: float | None = None, uncertainty: float | None = None) -> WorkItem:
    summary = CaseSummary(key, key, key, (ViewName.ANTERIOR,), (1, 8, 8), state)
    return WorkItem(replace(summary, predicted_dice=dice, uncertainty=uncertainty))


def test_cases_that_wait_for_a_first_correction_come_first_and_reviewed_ones_last() -> None:
    items = [
        case("reviewed", CaseState.REVIEWED, 0.1, 1.0),
        case("corrected", CaseState.CORRECTED, 0.1, 1.0),
        case("new", CaseState.NEW),
        case("predicted", CaseState.PREDICTED, 0.99, 0.0),
    ]
    assert [item.name for item in in_order(items)] == ["predicted", "new", "corrected", "reviewed"]


def test_of_predicted_cases_that_comes_first_from_which_the_model_learns_most() -> None:
    good = case("good", CaseState.PREDICTED, 0.97, 0.10)
    unsure = case("unsure", CaseState.PREDICTED, 0.97, 0.40)
    wrong = case("wrong", CaseState.PREDICTED, 0.60, 0.40)
    assert in_order([good, wrong, unsure]) == [wrong, unsure, good]
    assert teaching_value(wrong) == pytest.approx(0.4)
    assert teaching_value(case("new", CaseState.NEW)) == 0


def test_equals_stay_as_given() -> None:
    items = [case(key, CaseState.NEW) for key in "cab"]
    assert in_order(items) == items


def test_a_folder_shows_what_the_store_knows_of_its_scans(tmp_path: Path, write_nm: Callable[..., Path]) -> None:
    for number, name in enumerate(("scans/known.dcm", "scans/other.dcm")):
        write_nm(name, counts=np.arange(number, number + 4096, dtype=np.uint16).reshape(2, 64, 32))
    store = LabelStore.create(tmp_path / "store")
    known, other = sorted(queue_of_folder(tmp_path / "scans", store), key=lambda item: item.name)
    assert (known.name, known.case, other.case) == ("known", None, None)
    assert known.source is not None
    key = store.add(known.source.open())
    known, other = sorted(queue_of_folder(tmp_path / "scans", store), key=lambda item: item.name)
    assert known.case is not None
    assert (known.case.key, other.case) == (key, None)
    assert len(store.cases()) == 1


def test_a_folder_without_scans_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    with pytest.raises(Refusal, match="no planar bone scan"):
        queue_of_folder(tmp_path / "scans", LabelStore.create(tmp_path / "store"))
