from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.store.drafts import Drafts
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.work import open_work, resume_work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


def test_an_empty_folder_becomes_a_store_and_another_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert open_work(tmp_path / "new", "AB").items == []
    assert open_work(tmp_path / "new", "AB").store.folder == tmp_path / "new"
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.png").write_bytes(b"cat")
    with pytest.raises(StoreError, match=r"is not empty, and no label store; make one in a new folder"):
        open_work(tmp_path / "photos", "AB")
    assert open_work(tmp_path / "photos" / "label store", "AB").items == []


def test_work_brings_the_annotators_own_drafts(
    store: LabelStore, case: str, some_regions: Callable[[int], np.ndarray]
) -> None:
    Drafts(store).save(case, "AB", some_regions(0), Origin.empty())
    assert [draft.case for draft in open_work(store.folder, "AB").waiting] == [case]
    assert open_work(store.folder, "CD").waiting == []


def test_work_reads_a_case_and_a_file(
    store: LabelStore, case: str, scan: Scan, tmp_path: Path, write_nm: Callable[..., Path]
) -> None:
    work = open_work(store.folder, "AB")
    np.testing.assert_array_equal(work.read(work.items[0]).counts, scan.counts)
    counts = np.arange(2 * 64 * 32, dtype=np.uint16).reshape(2, 64, 32)
    write_nm("scans/a.dcm", counts=counts)
    work = open_work(store.folder, "AB", tmp_path / "scans")
    np.testing.assert_array_equal(work.read(work.items[0]).counts, counts)


def test_a_case_opens_with_its_last_revision_else_the_models_mask_else_an_empty_one(
    store: LabelStore, case: str, segmentation: Segmentation, some_regions: Callable[[int], np.ndarray]
) -> None:
    opened = open_case(store, case, "AB")
    assert not opened.regions.any()
    assert (str(opened.origin), opened.draft) == ("an empty mask", None)
    store.add_prediction(case, segmentation)
    opened = open_case(store, case, "AB")
    np.testing.assert_array_equal(opened.regions, segmentation.regions)
    assert str(opened.origin) == "model tiny"
    for seed in (1, 2):
        store.save(case, some_regions(seed), opened.origin, annotator="AB", reviewed=False)
    Drafts(store).save(case, "AB", some_regions(3), Origin.of_revision(2))
    opened = open_case(store, case, "AB")
    np.testing.assert_array_equal(opened.regions, some_regions(2))
    assert str(opened.origin) == "revision 2"
    assert opened.draft is not None
    np.testing.assert_array_equal(opened.draft.regions, some_regions(3))
    assert open_case(store, case, "CD").draft is None


ABC = ["Doe-a", "Doe-b", "Doe-c"]


def scans_in(folder: Path, write_nm: Callable[..., Path], names: str) -> Path:
    for number, name in enumerate(names):
        counts = np.arange(number, number + 4096, dtype=np.uint16).reshape(2, 64, 32)
        write_nm(f"{folder.name}/Doe-{name}.dcm", counts=counts)
    return folder


def test_a_list_comes_back_with_its_order_its_place_and_its_names_even_without_its_folder(
    tmp_path: Path, write_nm: Callable[..., Path]
) -> None:
    scans = scans_in(tmp_path / "scans", write_nm, "abc")
    work = open_work(tmp_path / "store", "AB", scans)
    assert ([item.name for item in work.items], work.place) == (ABC, -1)
    for item in (work.items[2], work.items[1]):
        assert item.source is not None
        key = work.store.add(item.source.open())
        (case,) = [case for case in work.store.cases() if case.key == key]
        work.note_opened(replace(item, case=case), "a title")
    last = key

    again = resume_work(tmp_path / "store", "AB")
    assert again.scans == scans
    # By itself, the order would be another one: the cases of the store have the same state, and come by key.
    assert ([item.name for item in again.items], again.place) == (ABC, 1)
    write_nm("scans/Ann.dcm", counts=np.ones((2, 64, 32), np.uint16))
    assert [item.name for item in resume_work(tmp_path / "store", "AB").items] == [*ABC, "Ann"]
    assert [item.name for item in open_work(tmp_path / "store", "AB", scans, anew=True).items] == ["Ann", *ABC]

    scans.rename(tmp_path / "elsewhere")
    without = resume_work(tmp_path / "store", "AB")
    assert (without.scans, without.missing) == (None, scans)
    assert "is not there" in without.notice
    assert [item.name for item in without.items] == ABC[1:]
    assert without.items[without.place].key == last
    assert without.names[last] == "Doe-b"
    (tmp_path / "elsewhere").rename(scans)
    assert resume_work(tmp_path / "store", "AB").scans == scans
    assert {item.name for item in open_work(tmp_path / "store", "AB").items} == set(ABC[1:])
    stored = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert b"Doe" not in stored


def test_work_goes_on_where_nothing_can_be_remembered(
    tmp_path: Path, write_nm: Callable[..., Path], records_folder: Path
) -> None:
    records_folder.write_text("a file, where the folder should be")
    work = open_work(tmp_path / "store", "AB", scans_in(tmp_path / "scans", write_nm, "ab"))
    assert [item.name for item in work.items] == ABC[:2]
    assert resume_work(tmp_path / "store", "AB").scans is None
