"""Masks out of a label store and into it, on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import OriginKind
from napari_bonescint.formats.masks.label_tiff import write_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def source(write_nm: Callable[..., Path]) -> Path:
    return write_nm()


@pytest.fixture
def regions(tmp_path: Path) -> np.ndarray:
    regions = np.random.default_rng(4).integers(0, 17, (2, 64, 32), np.uint8)
    write_labels(tmp_path / "mask.tif", regions, None)
    return regions


@pytest.fixture
def store(source: Path, regions: np.ndarray, tmp_path: Path) -> LabelStore:
    """A store with one case and one imported revision."""
    folder = str(tmp_path / "labels")
    assert main(["store", "create", folder]) == main(["store", "add", folder, str(source)]) == 0
    mask = str(tmp_path / "mask.tif")
    assert main(["store", "import", folder, mask, "--source", str(source), "--annotator", "Ada"]) == 0
    return LabelStore.open(tmp_path / "labels")


def test_an_imported_mask_is_a_revision(store: LabelStore, regions: np.ndarray) -> None:
    (case,) = store.keys()
    (revision,) = store.revisions(case)
    assert (revision.annotator, revision.origin.kind, revision.reviewed) == ("Ada", OriginKind.IMPORTED, False)
    np.testing.assert_array_equal(store.regions(case, 1), regions)


def test_an_imported_mask_is_trained_on_once_it_is_said_to_be_reviewed(
    store: LabelStore, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case,) = store.keys()
    before = select([store])
    assert not before.scans
    arguments = [str(store.folder), str(tmp_path / "mask.tif"), "--source", str(source), "--annotator", "Ada"]
    # Noise on noise is what no model agrees with.
    assert main(["store", "import", *arguments, "--reviewed", "--unchecked"]) == 0
    assert f"Saved as reviewed revision 2 of case {case}." in capsys.readouterr().out
    after = select([store])
    assert [(scan.case, scan.revision) for scan in after.scans] == [(case, 2)]


@pytest.mark.parametrize("form", ["tiff", "nifti", "seg"])
def test_what_is_exported_can_be_imported(
    form: str, store: LabelStore, source: Path, regions: np.ndarray, tmp_path: Path
) -> None:
    folder, out = str(store.folder), tmp_path / "out"
    assert main(["store", "export", folder, "--out", str(out), "--format", form, "--source", str(source)]) == 0
    masks = [str(path) for path in sorted(out.iterdir())]
    assert main(["store", "import", folder, *masks, "--source", str(source), "--annotator", "Bo"]) == 0
    (case,) = store.keys()
    np.testing.assert_array_equal(store.regions(case, 2), regions)


def test_one_case_that_fails_does_not_stop_the_others(
    store: LabelStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (case,) = store.keys()
    out = tmp_path / "out"
    assert main(["store", "export", str(store.folder), "--out", str(out), "--case", "nobody", case]) == 1
    assert f"nobody: {store.folder} has no such case" in capsys.readouterr().err
    assert (out / f"{case}.regions.tif").exists()


def test_dicom_seg_needs_the_source(store: LabelStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", "export", str(store.folder), "--out", str(tmp_path / "out"), "--format", "seg"]) == 1
    assert "not among the --source files" in capsys.readouterr().err


def test_a_mask_of_another_size_is_refused(
    store: LabelStore, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_labels(tmp_path / "small.tif", np.ones((2, 32, 32), np.uint8), None)
    arguments = [str(store.folder), str(tmp_path / "small.tif"), "--source", str(source), "--annotator", "Ada"]
    assert main(["store", "import", *arguments]) == 1
    assert "32 x 32 pixels and the scan 32 x 64" in capsys.readouterr().err
    (case,) = store.keys()
    assert len(store.revisions(case)) == 1
