"""A store gives back what was put in, keeps everybody's work, and knows nobody's name."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from dicom_files import PEAK
from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.errors import AddedOtherwise, Damaged, StoreError
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.folder import open_to_others
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.manifest import manifest_sha256
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.identity import Identity, read_identity
from napari_bonescint.formats.masks.label_tiff import encode_planes
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import ViewName
from napari_bonescint.scan_edits import flip

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

    MakeRegions = Callable[[int], np.ndarray]


def test_a_scan_comes_back_as_it_was(store: LabelStore, scan: Scan) -> None:
    scan = replace(scan, acquisition={"counts_accumulated": 12, "manufacturer": "GE"})
    kept = LabelStore.open(store.folder).scan(store.add(scan))
    np.testing.assert_array_equal(kept.counts, scan.counts)
    assert kept.counts.dtype == scan.counts.dtype
    assert (kept.views, kept.spacing, kept.acquisition) == (scan.views, scan.spacing, scan.acquisition)
    assert kept.name == store.keys()[0]


def test_a_scan_is_there_once(store: LabelStore, scan: Scan) -> None:
    scan = replace(scan, source_sha256="ab" * 32)
    key = store.add(scan, Identity("P", "S"))
    assert store.add(scan, Identity("P", "S")) == store.find(scan) == key
    assert store.keys() == [key]
    assert store.find(replace(scan, source_sha256="cd" * 32)) is None


def test_whoever_has_a_scan_does_not_find_its_case_without_the_secret(
    store: LabelStore, scan: Scan, segmentation: Segmentation, some_regions: MakeRegions
) -> None:
    key = store.add(scan)
    store.add_prediction(key, segmentation)
    store.save(key, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True)
    computable = [
        planes_sha256(planes)
        for planes in (scan.counts, segmentation.regions, np.uint8(segmentation.probability * 255))
    ]
    computable.append(hashlib.sha256(encode_planes(scan.counts, scan.spacing)).hexdigest())
    facts = "".join(path.read_text() for path in store.folder.rglob("*.json"))
    assert [sha256 for sha256 in computable if sha256 in facts or sha256[:16] in facts] == []
    assert store.image_sha256(key) == computable[0]
    (store.folder / "secret").unlink()
    assert store.image_sha256(key) == computable[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no modes")
def test_a_new_store_and_its_secret_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    store = LabelStore.create(tmp_path / "store")
    modes = [path.stat().st_mode & 0o777 for path in (store.folder, store.folder / "secret")]
    assert modes == [0o700, 0o600]
    assert open_to_others(store.folder) == []
    (store.folder / "secret").chmod(0o644)
    assert open_to_others(store.folder) == []
    store.folder.chmod(0o755)
    assert open_to_others(store.folder) == [store.folder, store.folder / "secret"]


def test_a_scan_that_is_there_with_another_side_mirrored_is_refused(store: LabelStore, scan: Scan) -> None:
    scan = replace(scan, source_sha256="ab" * 32)
    store.add(scan)
    with pytest.raises(AddedOtherwise, match="with other counts, such as a mirrored view; open that case instead"):
        store.add(flip(scan, ViewName.POSTERIOR))


def test_revisions_of_two_annotators_are_both_kept(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    first = store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True, comment="feet unclear")
    second = store.save(case, some_regions(2), Origin.of_revision(1), annotator="Bea", reviewed=False)
    assert LabelStore.open(store.folder).revisions(case) == [first, second]
    assert [(r.number, r.annotator, r.reviewed, r.comment) for r in (first, second)] == [
        (1, "Ada", True, "feet unclear"),
        (2, "Bea", False, ""),
    ]
    assert str(second.origin) == "revision 1"
    for number in (1, 2):
        np.testing.assert_array_equal(store.regions(case, number), some_regions(number))


def test_masks_are_ordinary_tiff_files_with_the_spacing(
    store: LabelStore, case: str, some_regions: MakeRegions
) -> None:
    store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True)
    with tifffile.TiffFile(store.folder / "cases" / case / "revisions" / "0001.tif") as tiff:
        np.testing.assert_array_equal(tiff.asarray(), some_regions(1))
        x, y = tiff.pages.first.get_resolution(tifffile.RESUNIT.MILLIMETER)
    assert (1 / y, 1 / x) == pytest.approx((4.5, 4.4))


def test_the_state_follows_the_last_thing_done(
    store: LabelStore, case: str, some_regions: MakeRegions, segmentation: Segmentation
) -> None:
    def state() -> str:
        (summary,) = LabelStore.open(store.folder).cases()
        assert store.cases() == [summary]
        return summary.state

    assert state() == "new"
    store.add_prediction(case, segmentation)
    assert state() == "predicted"
    store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=False)
    assert state() == "corrected"
    store.save(case, some_regions(2), Origin.empty(), annotator="Bea", reviewed=True)
    assert state() == "reviewed"
    assert store.cases()[0].annotator == "Bea"


def test_a_skeleton_without_names_is_kept_as_such(store: LabelStore, case: str, scan: Scan) -> None:
    skeleton = np.ones(scan.counts.shape, np.uint8)
    store.save(case, skeleton, Origin.imported(), annotator="Ada", reviewed=True, names_regions=False)
    assert store.revisions(case)[0].names_regions is False


def test_what_does_not_fit_is_refused_in_one_sentence(store: LabelStore, case: str, some_regions: MakeRegions) -> None:
    good = some_regions(1)
    wrong = [
        (good[:1], "Ada", rf"shape \(1, 131, 67\); case {case} needs uint8 of shape \(2, 131, 67\)\.$"),
        (good.astype(np.int64), "Ada", "The mask is int64"),
        (np.where(good == 3, len(REGIONS), good).astype(np.uint8), "Ada", "has the label 17, which is no region"),
        (good, "  ", "The annotator is missing"),
    ]
    for regions, annotator, sentence in wrong:
        with pytest.raises(StoreError, match=sentence):
            store.save(case, regions, Origin.empty(), annotator=annotator, reviewed=False)
    assert store.revisions(case) == []
    with pytest.raises(StoreError, match="no key of a case"):
        store.scan("../secret")


def test_nothing_in_the_store_says_whose_scan_it_is(
    store: LabelStore, write_nm: Callable[..., Path], some_regions: MakeRegions
) -> None:
    path = write_nm("Ward 7/Smith.dcm", windows=[("Smith early", *PEAK[1:])], IssuerOfPatientID="North Clinic")
    scan = open_scan(path)
    key = store.add(scan, read_identity(path))
    mask = np.zeros(scan.counts.shape, np.uint8)
    store.save(key, mask, Origin.empty(), annotator="Ada", reviewed=True)
    secrets = ["Secret", "Person", "4711", "1950", "20240305", "Hidden", "North", "Ward", "Smith", scan.source_sha256]
    everything = b""
    for file in store.folder.rglob("*"):
        everything += file.relative_to(store.folder).as_posix().encode() + b"\n"
        everything += file.read_bytes() if file.is_file() else b""
    assert [secret for secret in secrets if secret.encode() in everything] == []


def test_the_manifest_changes_with_labels_and_only_with_them(
    store: LabelStore, case: str, some_regions: MakeRegions, segmentation: Segmentation, tmp_path: Path
) -> None:
    empty = manifest_sha256(store)
    store.add_prediction(case, segmentation)
    assert manifest_sha256(store) == empty
    store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True)
    assert manifest_sha256(store) != empty
    shutil.copytree(store.folder, tmp_path / "copy")
    assert manifest_sha256(LabelStore.open(tmp_path / "copy")) == manifest_sha256(store)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, store: LabelStore) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("1")
    with pytest.raises(StoreError, match=r"thesis: is not empty; choose an empty or a new folder"):
        LabelStore.create(tmp_path / "thesis")
    with pytest.raises(StoreError, match="is a label store already"):
        LabelStore.create(store.folder)
    with pytest.raises(StoreError, match="is no label store; choose another folder, or make a store with the panel"):
        LabelStore.open(tmp_path / "thesis")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_a_store_of_a_newer_layout_asks_for_a_newer_version(store: LabelStore) -> None:
    marker = store.folder / "store.json"
    marker.write_text(marker.read_text().replace('"layout": 1', '"layout": 2'))
    with pytest.raises(StoreError, match="layout 2; install a newer version"):
        LabelStore.open(store.folder)


def test_without_the_secret_a_store_can_be_read_but_not_added_to(store: LabelStore, case: str, scan: Scan) -> None:
    (store.folder / "secret").unlink()
    passed_on = LabelStore.open(store.folder)
    np.testing.assert_array_equal(passed_on.scan(case).counts, scan.counts)
    with pytest.raises(StoreError, match="secret: is missing or damaged, so no scan can be added"):
        passed_on.add(scan)


@pytest.mark.parametrize("content", [b"", b"II*\0 cut off", b"{}", b"\xff" * 500])
def test_a_damaged_revision_is_named_and_the_others_stay(
    store: LabelStore, case: str, some_regions: MakeRegions, content: bytes
) -> None:
    for seed in (1, 2):
        store.save(case, some_regions(seed), Origin.empty(), annotator="Ada", reviewed=True)
    revisions = store.folder / "cases" / case / "revisions"
    (revisions / "0002.tif").write_bytes(content)
    with pytest.raises(Damaged, match=r"0002\.tif: is damaged"):
        store.regions(case, 2)
    (revisions / "0002.json").write_bytes(content)
    assert [revision.number for revision in store.revisions(case)] == [1]
    np.testing.assert_array_equal(store.regions(case, 1), some_regions(1))
    assert store.save(case, some_regions(3), Origin.empty(), annotator="Ada", reviewed=True).number == 3


def test_a_mask_of_another_scan_is_not_taken_for_the_saved_one(
    store: LabelStore, case: str, some_regions: MakeRegions
) -> None:
    for seed in (1, 2):
        store.save(case, some_regions(seed), Origin.empty(), annotator="Ada", reviewed=True)
    revisions = store.folder / "cases" / case / "revisions"
    shutil.copy(revisions / "0001.tif", revisions / "0002.tif")
    with pytest.raises(Damaged, match="its pixels are not those that were saved"):
        store.regions(case, 2)


def test_a_store_whose_folder_vanished_says_so(
    store: LabelStore, case: str, scan: Scan, some_regions: MakeRegions
) -> None:
    away = store.folder.rename(store.folder.with_name("elsewhere"))
    attempts: list[Callable[[], object]] = [
        lambda: store.save(case, some_regions(1), Origin.empty(), annotator="Ada", reviewed=True),
        lambda: store.add(scan),
        lambda: store.scan(case),
        store.cases,
        lambda: LabelStore.open(store.folder),
    ]
    for attempt in attempts:
        with pytest.raises(
            BonescintError, match=r"store(/\S+)?: (is missing|cannot be reached|does not exist)|could not be written"
        ):
            attempt()
    assert not store.folder.exists()
    np.testing.assert_array_equal(LabelStore.open(away).scan(case).counts, scan.counts)
