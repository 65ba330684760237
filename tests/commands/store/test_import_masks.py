"""Many masks into a label store, none of which counts as reviewed that does not lie on its scan."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.formats.masks.label_tiff import read_labels, write_labels
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., "Ended"]

SAMPLES = shipped_folder("samples")


class Ended(NamedTuple):
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `bonescint store`."""

    def call(*words: str | Path) -> Ended:
        status = main(["store", *map(str, words)])
        return Ended(status, *capsys.readouterr())

    return call


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> Path:
    run("create", tmp_path / "labels")
    return tmp_path / "labels"


@pytest.fixture
def body(folder: Path, run: Run, tmp_path: Path) -> np.ndarray:
    """The true mask of a simulated scan, which lies in the store."""
    shutil.copy(SAMPLES / "simulated.dcm", tmp_path / "scan.dcm")
    run("add", folder, tmp_path / "scan.dcm")
    return np.asarray(read_labels(SAMPLES / "simulated.regions.tif").masks)


def random_counts(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(9, (2, 64, 32)).astype(np.uint16)


def random_mask(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 17, (2, 64, 32), np.uint8)


def test_a_true_mask_counts_as_reviewed_and_a_turned_one_does_not(
    folder: Path, body: np.ndarray, run: Run, tmp_path: Path
) -> None:
    masks = {
        "true": body,
        "upside": body[:, ::-1],
        "mirrored": body[:, :, ::-1],
        "swapped": body[::-1],
        "moved": np.roll(body, 40, 2),
        "empty": body * np.uint8(0),
        "full": np.full_like(body, 3),
    }
    said = {
        "upside": "The mask is upside down in the anterior view, as it seems",
        "mirrored": "The mask is mirrored left to right in the anterior view, as it seems",
        "swapped": "The mask has the views swapped, as it seems",
        "moved": "The mask agrees little with the mask of the model",
        "empty": "The mask shows no bone in the anterior view",
        "full": "The mask labels all of the anterior view as bone",
    }
    table = ["source,mask,annotator"]
    for name, mask in masks.items():
        write_labels(tmp_path / f"{name}.tif", np.ascontiguousarray(mask), None)
        table.append(f"scan.dcm,{name}.tif,{name}")
    (tmp_path / "masks.csv").write_text("\n".join(table))
    ended = run("import", folder, "--table", tmp_path / "masks.csv", "--reviewed")
    assert ended.status == 0
    assert ended.out.endswith("7 masks: 0 failed, 6 not counted as reviewed.\n")
    for name, sentence in said.items():
        assert f"warning: {tmp_path / name}.tif: {sentence}" in ended.err
    store = LabelStore.open(folder)
    revisions = store.revisions(store.keys()[0])
    assert [(each.annotator, each.reviewed) for each in revisions] == [(name, name == "true") for name in masks]
    # Whoever has looked may say that it is right.
    write_labels(tmp_path / "again.tif", np.roll(body, 40, 2), None)
    words = (
        "import",
        folder,
        tmp_path / "again.tif",
        "--source",
        tmp_path / "scan.dcm",
        "--annotator",
        "Bo",
        "--reviewed",
    )
    assert "not saved as reviewed" in run(*words).err
    assert run(*words, "--unchecked").err == ""
    assert store.revisions(store.keys()[0])[-1].reviewed


def test_a_table_imports_many_and_again_nothing(
    folder: Path, run: Run, write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    lines = ["source,mask,reviewed"]
    for number in range(4):
        write_nm(f"{number}.dcm", counts=random_counts(number), PatientID=f"ID-{number}")
        write_labels(tmp_path / f"{number}.tif", random_mask(number), None)
        lines.append(f"{number}.dcm,{number}.tif,no")
    run("add", folder, *(tmp_path / f"{number}.dcm" for number in range(3)))
    table = tmp_path / "masks.csv"
    table.write_text("\n".join(lines))
    ended = run("import", folder, "--table", table, "--annotator", "Ada")
    # One scan was never added; the others are not held up.
    assert (ended.status, ended.err) == (
        1,
        f"error: {tmp_path / '3.tif'}: its scan is not in the store or not among the sources; add the scan first.\n",
    )
    store = LabelStore.open(folder)
    kept = {number: store.regions(store.find_file(sha256(tmp_path / f"{number}.dcm")) or "", 1) for number in range(3)}
    for number, mask in kept.items():
        np.testing.assert_array_equal(mask, random_mask(number))
    again = run("import", folder, "--table", table, "--annotator", "Ada")
    assert again.out.count("already is this mask.") == 3
    assert all(len(store.revisions(case)) == 1 for case in store.keys())  # noqa: SIM118 - a store is no dict


def test_segmentations_go_to_the_scans_that_they_refer_to(
    folder: Path, run: Run, write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "exports").mkdir()
    for number in range(3):
        path = write_nm(f"{number}.dcm", counts=random_counts(number), PatientID=f"ID-{number}")
        path.rename(tmp_path / "exports" / path.name)
        write_labels(tmp_path / f"{number}.tif", random_mask(number), None)
        run("add", folder, tmp_path / "exports" / path.name)
        scan = tmp_path / "exports" / path.name
        run("import", folder, tmp_path / f"{number}.tif", "--source", scan, "--annotator", "Ada")
    out = tmp_path / "out"
    ended = run(
        "export", folder, "--out", out, "--format", "seg", "--source", tmp_path / "exports", "--table", out / "t.csv"
    )
    assert ended.status == 0
    run("create", tmp_path / "fresh")
    run("add", tmp_path / "fresh", tmp_path / "exports")
    segs = sorted(out.glob("*.seg.dcm"))
    words = ("import", tmp_path / "fresh", *segs, "--source", tmp_path / "exports", "--annotator", "Bo")
    assert run(*words).out.endswith("3 masks: 0 failed, 0 not counted as reviewed.\n")
    fresh, store = LabelStore.open(tmp_path / "fresh"), LabelStore.open(folder)
    for path in (tmp_path / "exports").iterdir():
        new, old = (each.find_file(sha256(path)) or "" for each in (fresh, store))
        np.testing.assert_array_equal(fresh.regions(new, 1), store.regions(old, 1))
    # The table that was exported names the very sources again, and takes the masks to another store as well.
    run("create", tmp_path / "third")
    run("add", tmp_path / "third", tmp_path / "exports")
    table = (out / "t.csv").read_text()
    assert all(f"../exports/{number}.dcm" in table for number in range(3))
    (out / "t.csv").write_text("\n".join(line.partition(",")[2] for line in table.splitlines()))
    assert run("import", tmp_path / "third", "--table", out / "t.csv").status == 0
    third = LabelStore.open(tmp_path / "third")
    assert [third.revisions(case)[0].annotator for case in third.keys()] == ["Ada"] * 3  # noqa: SIM118 - a store is no dict


def test_what_is_asked_for_must_make_sense(
    folder: Path, run: Run, write_nm: Callable[..., Path], tmp_path: Path
) -> None:
    paths = [write_nm(f"{number}.dcm", counts=random_counts(number)) for number in range(2)]
    run("add", folder, *paths)
    write_labels(tmp_path / "mask.tif", random_mask(0), None)
    mask = tmp_path / "mask.tif"
    for words, why in (
        ((mask,), "Give masks and their --source, or --table."),
        ((mask, "--table", tmp_path / "t.csv"), "leave out those on the command line"),
        ((mask, "--source", *paths, "--annotator", "Ada"), "only DICOM SEG names the scan of a mask"),
        (
            (mask, "--source", paths[0]),
            "The annotator is missing; give --annotator, or a column annotator in the table.",
        ),
    ):
        ended = run("import", folder, *words)
        assert (ended.status, why in ended.err) == (1, True)


def sha256(path: Path) -> str:
    from napari_bonescint.formats.opening import open_scan

    return open_scan(path).source_sha256
