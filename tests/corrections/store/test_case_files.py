"""The files of a case give back the scan without its owner, whole or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.case_files import CaseFacts, CaseFiles
from napari_bonescint.corrections.store.files.checksummed_json import seal
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.keys import Keys
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, VIEWS_ASSUMED, Scan, View, ViewName, ViewSource
from napari_bonescint.scan_edits import flip

if TYPE_CHECKING:
    from pathlib import Path

KEYS = Keys(case="0123456789abcdef", patient="a" * 16, study="b" * 16)
IMAGE = "c" * 80
ASSUMED = tuple(View(name, ViewSource.ASSUMED) for name in ViewName)


@pytest.fixture
def files(tmp_path: Path) -> CaseFiles:
    """Where a case may come to be."""
    return CaseFiles(tmp_path / KEYS.case)


def facts_of(scan: Scan) -> CaseFacts:
    return CaseFacts.of(scan, KEYS, IMAGE, "d" * 64)


def kept(files: CaseFiles, scan: Scan) -> Scan:
    files.create(scan, KEYS, IMAGE)
    return CaseFiles(files.folder).scan()


@pytest.mark.parametrize(
    "views",
    [
        (View(ViewName.ANTERIOR),),
        (View(ViewName.POSTERIOR, ViewSource.USER, flipped=True),),
        (View(ViewName.ANTERIOR, turned=180), View(ViewName.POSTERIOR, ViewSource.FILE, flipped=True)),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint16, ">i4", np.float32])
def test_views_pixels_and_uneven_spacing_come_back(files: CaseFiles, scan: Scan, views: tuple[View, ...], dtype: str):
    scan = Scan(scan.counts[: len(views)].astype(dtype), views, (2.1, 7 / 3), {"matrix": "67 x 131", "frame": 1})
    read = kept(files, scan)
    np.testing.assert_array_equal(read.counts, scan.counts)
    assert (read.views, read.spacing, read.acquisition) == (views, (2.1, 7 / 3), {"matrix": "67 x 131"})
    assert (read.name, read.source_sha256, read.warnings) == (KEYS.case, "", ())


def test_what_a_scan_lacked_is_said_again_when_it_is_read(files: CaseFiles, tmp_path: Path, scan: Scan) -> None:
    assert kept(files, replace(scan, views=ASSUMED, spacing=None)).warnings == (VIEWS_ASSUMED, NO_SPACING)
    one = replace(scan, counts=scan.counts[:1], views=ASSUMED[:1])
    assert kept(CaseFiles(tmp_path / "one"), one).warnings == (VIEW_ASSUMED,)


def test_an_energy_window_is_kept_by_its_limits_and_not_by_the_name_that_people_typed(scan: Scan) -> None:
    for window, limits_known in (("126-154 keV", True), ("Smith early", False)):
        typed = {"photopeak_window": window, "photopeak_window_name": "Smith early", "matrix": "1x1"}
        facts = facts_of(replace(scan, acquisition=typed))
        assert facts.acquisition == {"matrix": "1x1", **({"photopeak_window": window} if limits_known else {})}


def test_a_scan_contradicts_its_case_in_what_it_says_and_not_in_what_it_assumes(scan: Scan) -> None:
    facts, image = facts_of(scan), planes_sha256(scan.counts)
    exchanged = replace(scan, views=(View(ViewName.POSTERIOR), View(ViewName.ANTERIOR)))
    assert facts.contradictions(scan, image) == []
    assert facts.contradictions(replace(scan, views=ASSUMED[::-1], spacing=None), image) == []
    assert facts.contradictions(replace(exchanged, spacing=(4.4, 4.5)), image) == [
        "other views",
        "another pixel spacing",
    ]
    assert facts.contradictions(flip(scan, ViewName.POSTERIOR), image) == ["other counts, such as a mirrored view"]
    single = replace(scan, counts=scan.counts[:1], views=scan.views[:1])
    assert facts.contradictions(single, image) == ["other counts, such as a mirrored view"]


def test_the_writer_who_comes_second_changes_nothing(files: CaseFiles, scan: Scan) -> None:
    kept(files, scan)
    (files.revisions / "0001.tif").write_bytes(b"work")
    before = {path: path.read_bytes() for path in files.folder.rglob("*") if path.is_file()}
    brighter = replace(scan, counts=scan.counts + np.uint16(1))
    files.create(brighter, KEYS, IMAGE)
    assert {path: path.read_bytes() for path in files.folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in files.folder.parent.iterdir()] == [KEYS.case]


def test_where_there_is_no_folder_of_cases_there_is_no_case_and_one_sentence(tmp_path: Path, scan: Scan) -> None:
    with pytest.raises(CannotWrite, match=r"cases: could not be written \(No such file or directory\)\.$"):
        kept(CaseFiles(tmp_path / "cases" / KEYS.case), scan)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [None, b"", b"\0" * 501, b'{"views": [', b"[]", b"null", b"[" * 100_000])
def test_facts_that_are_missing_or_cut_off_are_named(files: CaseFiles, scan: Scan, content: bytes | None) -> None:
    kept(files, scan)
    files.facts_path.unlink() if content is None else files.facts_path.write_bytes(content)
    with pytest.raises(Damaged, match=r"case\.json: is (missing|damaged, or was changed by something other.*)\.$"):
        files.scan()


@pytest.mark.parametrize(
    "other",
    [
        {"views": []},
        {"views": [{"name": "lateral"}]},
        {"views": 2},
        {"views": [{"name": "anterior", "source": "file", "flipped": 1}] * 2},
        {"views": [{"name": "anterior", "source": "file", "flipped": False, "turned": 45}] * 2},
        {"shape": [131, 67]},
        {"shape": [2, 10**9, 10**9]},
        {"shape": [2, -131, 67]},
        {"shape": "2x3"},
        {"spacing_mm": [0, 4.4]},
        {"spacing_mm": ["4", 4.4]},
        {"patient_key": 5},
        {"acquisition": {"matrix": ["nested"]}},
        {"acquisition": 5},
        {"image_keyed_sha256": None},
        {"counts_file_sha256": 5},
    ],
)
def test_facts_of_another_version_are_one_sentence(files: CaseFiles, scan: Scan, other: dict[str, object]) -> None:
    kept(files, scan)
    facts = json.loads(files.facts_path.read_bytes())
    del facts["facts_sha256"]
    files.facts_path.write_bytes(seal({**facts, **other}))
    with pytest.raises(Damaged, match=r"case\.json: is no case that this version of bonescint can read\.$"):
        files.scan()


def test_counts_of_another_case_are_not_taken_for_its_own(files: CaseFiles, tmp_path: Path, scan: Scan) -> None:
    kept(files, scan)
    other = CaseFiles(tmp_path / "other")
    kept(other, flip(scan, ViewName.ANTERIOR))
    other.counts_path.replace(files.counts_path)
    with pytest.raises(Damaged, match=r"counts\.tif: is damaged: its pixels are not those that were saved\.$"):
        files.scan()
