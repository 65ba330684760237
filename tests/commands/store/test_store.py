"""`bonescint store`: what it makes, what it says, and how it ends."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from PIL import Image

from damaged_files import write_aborting
from dicom_files import ANTERIOR, POSTERIOR, some_counts
from napari_bonescint.cli import main
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.scan import SAME_VIEW, ViewName, ViewSource
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., "Ended"]
    WriteScan = Callable[..., Path]


class Ended(NamedTuple):
    status: int
    out: list[str]
    err: list[str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `bonescint store`."""

    def call(*words: str | Path) -> Ended:
        status = main(["store", *map(str, words)])
        said = capsys.readouterr()
        return Ended(status, said.out.splitlines(), said.err.splitlines())

    return call


@pytest.fixture
def folder(tmp_path: Path, run: Run) -> Path:
    """A new store."""
    assert run("create", tmp_path / "labels").status == 0
    return tmp_path / "labels"


def test_what_the_user_says_about_a_view_is_kept(folder: Path, run: Run, write_nm: WriteScan) -> None:
    path = write_nm(views=(ANTERIOR,))
    ended = run("add", folder, path, "--view", "posterior")
    assert ended.status == 0
    assert "the user's name was used" in ended.err[0]
    (key,) = LabelStore.open(folder).keys()
    (view,) = LabelStore.open(folder).scan(key).views
    assert (view.name, view.source) == (ViewName.POSTERIOR, ViewSource.OVERRULED)
    ended = run("add", folder, path)
    assert ended.status == 1
    assert "other views" in ended.err[0]


def test_two_scans_of_one_study_and_one_view_are_doubted(folder: Path, run: Run, write_nm: WriteScan) -> None:
    study = {"StudyInstanceUID": "1.2.3", "PixelSpacing": [2.4, 2.4]}
    paths = [
        write_nm(name, counts=some_counts(2)[i : i + 1], views=(ANTERIOR,), **study) for i, name in enumerate("12")
    ]
    ended = run("add", folder, *paths)
    assert ended.status == 0
    assert sum(SAME_VIEW in line for line in ended.err) == 2


def test_two_scans_of_one_view_are_doubted_when_they_are_added_one_by_one(
    folder: Path, run: Run, write_nm: WriteScan
) -> None:
    study = {"StudyInstanceUID": "1.2.3", "PixelSpacing": [2.4, 2.4]}
    one, other, back = (
        write_nm(name, counts=some_counts(3)[i : i + 1], views=(view,), **study)
        for i, (name, view) in enumerate((("1", ANTERIOR), ("2", ANTERIOR), ("3", POSTERIOR)))
    )
    assert run("add", folder, one).err == []
    assert run("add", folder, other).err == [f"warning: {other}: {SAME_VIEW} Option: --view."]
    assert run("add", folder, back).err == []


def test_a_damaged_case_that_looks_like_a_new_one_does_not_stop_it(folder: Path, run: Run, write_nm: WriteScan) -> None:
    run("add", folder, write_nm("1", PatientID="1"))
    (key,) = LabelStore.open(folder).keys()
    (folder / "cases" / key / "case.json").unlink()
    ended = run("add", folder, write_nm("2", PatientID="2"))
    assert (ended.status, ended.out, ended.err) == (0, ["1 added, 0 there already, 0 failed."], [])


@pytest.mark.parametrize("action", ["create", "add", "list", "check"])
def test_help_shows_an_example(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["store", action, "--help"])
    assert ended.value.code == 0
    assert f"  bonescint store {action} labels" in capsys.readouterr().out


def test_scans_of_one_patient_are_listed_with_one_key(folder: Path, run: Run, write_nm: WriteScan) -> None:
    first, second = write_nm("a.dcm"), write_nm("b.dcm")
    other = write_nm("c.dcm", PatientID="ID-0815", counts=np.random.default_rng(1).poisson(9, (2, 64, 32)).astype("u2"))
    ended = run("add", folder, first, second, other)
    assert (ended.status, ended.out, ended.err) == (0, ["3 added, 0 there already, 0 failed."], [])
    heading, *rows, _, total = run("list", folder).out
    assert heading.split()[:3] == ["CASE", "PATIENT", "VIEWS"]
    patients = [row.split()[1] for row in rows]
    assert sorted(patients.count(patient) for patient in patients) == [1, 2, 2]
    assert all("anterior + posterior  64 x 32  new" in row for row in rows)
    assert total.startswith("3 scans of 2 patients. 0 reviewed: ")


def other_counts(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(9, (2, 64, 32)).astype(np.uint16)


def test_one_patient_in_other_spellings_is_one(folder: Path, run: Run, write_nm: WriteScan) -> None:
    spellings = [("id-4711", "North"), ("ID-4711 ", ""), ("ID 04711", "South"), ("ID4711", "NORTH")]
    paths = [
        write_nm(f"{i}.dcm", counts=other_counts(i), PatientID=number, IssuerOfPatientID=issuer)
        for i, (number, issuer) in enumerate(spellings)
    ]
    assert run("add", folder, *paths).err == []
    assert run("list", folder).out[-1].startswith("4 scans of 1 patient. ")


def test_two_patients_who_may_be_one_are_told_and_linked_by_a_table(
    folder: Path, run: Run, write_nm: WriteScan, tmp_path: Path
) -> None:
    counts = other_counts(1)
    first = write_nm("a.dcm", counts=counts, PatientID="7", StudyInstanceUID="1.2.3")
    nearly = counts.copy()
    nearly[0, 5, 5] += 3
    again = write_nm("b.dcm", counts=nearly, PatientID="8")
    study = write_nm("c.dcm", counts=other_counts(2), PatientID="9", StudyInstanceUID="1.2.3")
    told = run("add", folder, first, again, study).err
    assert len(told) == 2
    assert told[0].startswith(f"warning: {first}: ")
    assert "shows the same counts, but for a few pixels, as case" in told[0]
    assert "is of the same study as a scan of patient" in told[1]
    assert all(line.endswith("give the command again with --patients.") for line in told)
    assert run("list", folder).out[-1].startswith("3 scans of 3 patients. ")
    table = tmp_path / "who.csv"
    table.write_text("patient,id,file\nA,7,\nA,,b.dcm\nA,009,\n")
    ended = run("add", folder, first, again, study, "--patients", table)
    assert (ended.out, ended.err) == (["0 added, 3 there already, 0 failed."], [])
    assert run("list", folder).out[-1].startswith("3 scans of 1 patient. ")


def test_pictures_are_of_the_patient_whom_a_table_names(folder: Path, run: Run, tmp_path: Path) -> None:
    for seed, name in enumerate(("one.png", "two.png", "three.png")):
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (64, 32), np.uint8)).save(tmp_path / name)
    (tmp_path / "who.csv").write_text("patient,file\nA,one.png\nA,three.png\n")
    names = [tmp_path / name for name in ("one.png", "two.png", "three.png")]
    run("add", folder, *names, "--patients", tmp_path / "who.csv")
    assert run("list", folder).out[-1].startswith("3 scans of 2 patients. ")


def test_adding_again_keeps_what_is_there(folder: Path, run: Run, write_nm: WriteScan) -> None:
    path = write_nm()
    run("add", folder, path)
    store = LabelStore.open(folder)
    store.save(store.keys()[0], np.ones((2, 64, 32), np.uint8), Origin.empty(), annotator="Ada", reviewed=True)
    assert run("add", folder, path).out == ["0 added, 1 there already, 0 failed."]
    (_, row, *_) = run("list", folder).out
    assert "reviewed  Ada" in row


def test_the_list_tells_how_many_patients_are_held_out(folder: Path, run: Run, write_nm: WriteScan) -> None:
    for number in range(12):
        run("add", folder, write_nm("a.dcm", PatientID=f"ID-{number}"))
    store = LabelStore.open(folder)
    for key in store.keys()[:10]:
        store.save(key, np.ones((2, 64, 32), np.uint8), Origin.empty(), annotator="Ada", reviewed=True)
    reviewed = [case for case in store.cases() if case.state == "reviewed"]
    parts = Counter(part_of_patient(case.patient_key) for case in reviewed)
    learnt, validating, held_out = (
        f"{counted(parts[part], 'scan')} of {counted(parts[part], 'patient')}"
        for part in (Part.TRAINED, Part.VALIDATING, Part.JUDGED)
    )
    assert run("list", folder).out[-1] == (
        f"12 scans of 12 patients. 10 reviewed: {learnt} to learn from, {validating} to validate on, "
        f"{held_out} held out to judge on."
    )


def test_what_cannot_be_added_is_told_and_the_others_go_in(
    folder: Path, run: Run, write_nm: WriteScan, tmp_path: Path
) -> None:
    good = write_nm()
    run("add", folder, good)
    (tmp_path / "letter.txt").write_text("Dear colleague")
    aborting = write_aborting(tmp_path / "odd.dcm")
    ended = run("add", folder, tmp_path / "letter.txt", aborting, good, write_nm("d.dcm"), "--flip-posterior")
    assert (ended.status, ended.out) == (1, ["1 added, 0 there already, 3 failed."])
    assert ended.err[0] == f"error: {tmp_path / 'letter.txt'}: The file is neither DICOM, PNG nor TIFF."
    assert ended.err[1].startswith(f"error: {aborting}: The file is damaged: its decoder ended unexpectedly")
    assert "is in the store already, as case" in ended.err[2]


def test_text_in_the_pixels_is_warned_about(folder: Path, run: Run, write_nm: WriteScan, tmp_path: Path) -> None:
    Image.fromarray(np.eye(64, 32, dtype=np.uint8) * 9).save(tmp_path / "scan.png")
    ended = run("add", folder, write_nm(BurnedInAnnotation="YES"), tmp_path / "scan.png", "--view", "anterior")
    assert ended.status == 0
    assert [line for line in ended.err if "scan.dcm: The file states that text is burned into its pixels" in line]
    assert [line for line in ended.err if "scan.png: A name may be burned into the pixels" in line]


def test_a_damaged_store_fails_the_check(folder: Path, run: Run, write_nm: WriteScan) -> None:
    run("add", folder, write_nm())
    whole = run("check", folder)
    assert (whole.status, whole.err) == (0, [])
    assert whole.out == ["1 cases, 0 predictions, 0 revisions and 0 drafts are whole; 0 damaged."]
    (counts,) = folder.glob("cases/*/counts.tif")
    counts.write_bytes(b"cut off")
    damaged = run("check", folder)
    assert damaged.status == 1
    assert damaged.err == [f"error: {counts}: is damaged: its pixels are not those that were saved."]


def test_a_folder_that_is_no_store_is_one_sentence(tmp_path: Path, run: Run) -> None:
    ended = run("list", tmp_path)
    assert ended.status == 1
    (told,) = ended.err
    assert told.startswith(f"bonescint: {tmp_path}: is no label store; choose another folder, or make a store with ")
    assert told.endswith(f" or `bonescint store create {tmp_path}`.")
