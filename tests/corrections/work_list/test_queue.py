from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.store.index import CaseState, CaseSummary
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.work_list.queue import WorkItem, as_before, in_order, queue_of_folder, teaching_value
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
    known, other = sorted(queue_of_folder(tmp_path / "scans", store).items, key=lambda item: item.name)
    assert (known.name, known.case, other.case) == ("known", None, None)
    assert known.source is not None
    key = store.add(known.source.open())
    known, other = sorted(queue_of_folder(tmp_path / "scans", store).items, key=lambda item: item.name)
    assert known.case is not None
    assert (known.case.key, other.case) == (key, None)
    assert len(store.cases()) == 1


def test_the_other_files_of_a_folder_are_counted_by_reason_without_those_of_a_store_in_it(
    tmp_path: Path, write_nm: Callable[..., Path]
) -> None:
    write_nm("scans/good.dcm")
    write_nm("scans/slice1.dcm", Modality="CT")
    write_nm("scans/slice2.dcm", Modality="CT")
    write_nm("scans/broken.dcm").write_bytes(bytes(128) + b"DICM")
    store = LabelStore.create(tmp_path / "scans" / "label store")
    items, left_out = queue_of_folder(tmp_path / "scans", store)
    assert [item.name for item in items] == ["good"]
    broken, slices = left_out.lines
    assert broken == "broken.dcm: The file is damaged or cut off; copy or export it again."
    assert slices == "2 x Modality is CT; only nuclear medicine (NM) images can be segmented."


def test_a_folder_without_scans_is_refused_with_the_reasons(tmp_path: Path, write_nm: Callable[..., Path]) -> None:
    (tmp_path / "scans").mkdir()
    store = LabelStore.create(tmp_path / "store")
    with pytest.raises(Refusal, match=r"^scans: The folder holds no planar bone scan\.$"):
        queue_of_folder(tmp_path / "scans", store)
    write_nm("scans/slice1.dcm", Modality="CT")
    with pytest.raises(Refusal, match=r"no planar bone scan that can be read; 1 file was left out: 1 x Modality is CT"):
        queue_of_folder(tmp_path / "scans", store)


def test_a_list_keeps_a_recorded_order_and_new_items_come_last() -> None:
    items = [case(key, CaseState.NEW) for key in "abcd"]
    rows = (("", "c"), ("gone", ""), ("", "a"))
    assert [item.name for item in as_before(items, rows, None)] == ["c", "a", "b", "d"]
    assert as_before(items, (), None) == items


def test_a_name_is_the_annotators_or_else_the_key_and_only_reviewed_cases_need_no_work() -> None:
    item = case("0123", CaseState.CORRECTED)
    assert (item.name, replace(item, known_as="a/b").name, item.key, WorkItem().key) == ("0123", "a/b", "0123", "")
    assert [case("k", state).needs_work for state in CaseState] == [True, True, True, False]
