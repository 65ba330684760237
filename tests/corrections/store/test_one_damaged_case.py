"""Whatever is wrong with one case, it is named, and the other cases are checked, listed, exported and learnt from."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.opening import open_case
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.manifest import manifest_sha256
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.corrections.work_list.work import open_work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.scan import Scan


def _file_in_place_of(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("a file")


def _folder_in_place_of(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _loop_in_place_of(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder)


# What is done to the case, and what is said about it.
FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no revisions": (lambda case: shutil.rmtree(case / "revisions"), "revisions: is missing"),
    "revisions are a file": (lambda case: _file_in_place_of(case / "revisions"), "revisions: cannot be read"),
    "revisions lead to themselves": (lambda case: _loop_in_place_of(case / "revisions"), "revisions: cannot be read"),
    "no facts": (lambda case: (case / "case.json").unlink(), "case.json: is missing"),
    "facts are a folder": (lambda case: _folder_in_place_of(case / "case.json"), "case.json: cannot be read"),
    "no counts": (lambda case: (case / "counts.tif").unlink(), "counts.tif: is missing"),
    "a damaged revision": (lambda case: (case / "revisions/0001.json").write_bytes(b"{"), "0001.json: is damaged"),
    "a revision is a folder": (lambda case: _folder_in_place_of(case / "revisions/0001.json"), "0001.json: cannot be"),
    "an empty folder": (lambda case: [shutil.rmtree(case), case.mkdir()], "is missing"),
    "a file": (_file_in_place_of, "cannot be read"),
}


@pytest.fixture
def mask(scan: Scan) -> np.ndarray:
    mask = np.zeros(scan.counts.shape, np.uint8)
    mask[:, 20:60, 25:40], mask[:, 60:110, 25:40] = 3, 4
    return mask


@pytest.fixture
def two(store: LabelStore, scan: Scan, mask: np.ndarray) -> tuple[str, str]:
    """Keys of two cases with a reviewed revision each."""
    cases = [store.add(scan), store.add(type(scan)(scan.counts + np.uint16(1), scan.views, scan.spacing))]
    for case in cases:
        store.save(case, mask, Origin.empty(), annotator="Ada", reviewed=True)
    return cases[0], cases[1]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows, and its errors have other words")
@pytest.mark.parametrize("fault", FAULTS)
def test_the_case_is_named_and_the_others_go_on(
    store: LabelStore, two: tuple[str, str], fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoilt, whole = two
    spoil, sentence = FAULTS[fault]
    spoil(store.folder / "cases" / spoilt)

    selection = select([LabelStore.open(store.folder)])
    assert [scan.case for scan in selection.scans] == [whole]
    ((case, why),) = selection.left_out
    assert case == spoilt
    assert sentence in why
    assert str(store.folder) not in why

    assert main(["store", "check", str(store.folder)]) == 1
    told = capsys.readouterr()
    assert sentence in told.err
    assert spoilt in told.err
    assert whole not in told.err
    assert "revisions and 0 drafts are whole" in told.out

    assert main(["store", "export", str(store.folder), "--out", str(tmp_path / "masks")]) == 1
    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "1 written, 0 without a revision, 1 failed."
    assert sentence in told.err
    assert [path.name for path in (tmp_path / "masks").iterdir()] == [f"{whole}.regions.tif"]

    assert main(["store", "list", str(store.folder)]) == 0
    assert whole in capsys.readouterr().out


def test_an_older_revision_is_not_taken_for_a_damaged_later_one(
    store: LabelStore, two: tuple[str, str], mask: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, _ = two
    store.save(case, mask, Origin.of_revision(1), annotator="Bea", reviewed=True)
    (store.files(case).revisions / "0002.json").write_bytes(b"{")
    assert "0002.json: is damaged" in dict(select([store]).left_out)[case]
    assert main(["store", "export", str(store.folder), "--out", str(tmp_path / "masks"), "--case", case]) == 1
    assert "0002.json: is damaged" in capsys.readouterr().err
    opened = open_case(store, case, "Ada")
    assert str(opened.origin) == "revision 1"
    assert "0002.json: is damaged" in opened.damage[0]
    store.save(case, mask, Origin.of_revision(1), annotator="Ada", reviewed=True)
    assert case not in dict(select([store]).left_out)


def test_a_work_list_says_what_it_leaves_out(store: LabelStore, two: tuple[str, str]) -> None:
    assert open_work(store.folder, "Ada").damage == ""
    shutil.rmtree(store.files(two[0]).revisions)
    work = open_work(store.folder, "Ada")
    assert [item.name for item in work.items] == [two[1]]
    reason = f"{store.folder / 'cases' / two[0]}: has no folder of revisions or predictions."
    assert work.damage == f"1 case of {store.folder} is damaged and not shown; restore it from a backup. {reason}"


def test_the_manifest_of_a_store_changes_when_a_case_is_damaged(store: LabelStore, two: tuple[str, str]) -> None:
    whole = manifest_sha256(store)
    store.files(two[0]).facts_path.unlink()
    assert manifest_sha256(store) != whole
