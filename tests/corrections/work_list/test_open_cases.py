from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.work_list.open_cases import CaseMark

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


def test_a_case_is_open_for_one_window_of_an_annotator_and_others_are_named(tmp_path: Path, scan: Scan) -> None:
    store = LabelStore.create(tmp_path / "store")
    key = store.add(scan)
    own, again, other = CaseMark(store, key, "AB"), CaseMark(store, key, "AB"), CaseMark(store, key, "CD")
    assert own.take() is None
    holder = again.take()
    assert holder is not None
    assert holder.annotator == "AB"
    assert str(holder).startswith("AB on ")
    assert str(holder).endswith(" UTC")
    assert other.take() is None
    assert [each.annotator for each in own.others()] == ["CD"]
    again.release()  # it has nothing to give back
    assert again.take() is not None
    other.release()
    assert own.others() == []
    own.release()
    assert again.take() is None
    again.release()
    found = check_store(store, lambda _: None)
    assert (found.drafts, found.damage, found.leftovers) == (0, [], [])


def test_where_nothing_can_be_marked_nothing_is_open(tmp_path: Path, scan: Scan) -> None:
    store = LabelStore.create(tmp_path / "store")
    key = store.add(scan)
    (store.folder / "drafts").rmdir()
    mark = CaseMark(store, key, "AB")
    assert mark.take() is None
    assert mark.others() == []
    mark.release()
