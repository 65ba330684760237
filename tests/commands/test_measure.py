"""`bonescint measure`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
import tifffile
from PIL import Image

from dicom_files import ANTERIOR, some_counts
from napari_bonescint.anatomy import CODES
from napari_bonescint.cli import main
from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.formats.masks.registry import WRITERS, MaskOfScan
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.samples import SAMPLES
from napari_bonescint.inference.model_card import DEFAULT_MODEL, HOT_SPOT_MODEL, read_card
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.inference.model_card import ModelCard

    Measure = Callable[..., "Ended"]
    WriteScan = Callable[..., Path]

FILES = [f"scan.{ending}" for ending in ("hotspots.csv", "hotspots.tif", "measures.json", "regions.csv")]
HOT = (20, 10)


class Ended(NamedTuple):
    status: int
    out: list[str]
    err: list[str]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    return tmp_path / "masks"


@pytest.fixture
def thresholds(models_folder: Path) -> None:
    """The model for hot spots is not there, so that thresholds find those of scans that look like no body."""
    models_folder.mkdir(parents=True)
    (models_folder / "current-hot-spots").write_text('{"model": "lost"}', encoding="utf-8")


@pytest.fixture
def measure(out: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    """Run `bonescint measure` on the CPU."""

    def run(*arguments: str | Path) -> Ended:
        status = main(["measure", *map(str, arguments), "--out", str(out), "--device", "cpu"])
        said = capsys.readouterr()
        without_model = "warning: There is no model 'lost';"
        lines = [line for line in said.err.splitlines() if not line.startswith(without_model)]
        return Ended(status, said.out.splitlines(), lines)

    return run


def counts(views: int = 2) -> NDArray[np.uint16]:
    """A bright trunk of 64 x 32 pixels with a hot spot of 3 x 3 pixels at `HOT`."""
    found = 40 + some_counts(1)[0] % 5
    found[HOT[0] - 1 : HOT[0] + 2, HOT[1] - 1 : HOT[1] + 2] = 400
    return np.stack([found] * views).astype(np.uint16)


def regions(views: int = 2) -> NDArray[np.uint8]:
    """Thoracic spine at the top, pelvis below, around the middle of the image."""
    codes = np.zeros((views, 64, 32), np.uint8)
    codes[:, 5:30, 6:26] = CODES["thoracic_spine"]
    codes[:, 30:60, 6:26] = CODES["pelvis"]
    return codes


def facts_of(folder: Path, stem: str = "scan") -> dict[str, Any]:
    return json.loads((folder / f"{stem}.measures.json").read_text(encoding="utf-8"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def names_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def given(write_nm: WriteScan, masks: Path, thresholds: None) -> Callable[..., Path]:
    """Writes a scan and the mask of its regions; the scan's path."""

    def write(name: str = "scan.dcm", *, brighter: int = 0, views: int = 2, **attributes: Any) -> Path:
        path = write_nm(name, counts=counts(views) + brighter, **attributes)
        mask = masks / Path(name).with_suffix(".regions.tif")
        mask.parent.mkdir(parents=True, exist_ok=True)
        write_labels(mask, regions(views), None)
        return path

    return write


def test_a_scan_is_segmented_and_measured_and_a_corrected_mask_is_measured_again(measure: Measure, out: Path) -> None:
    scan = SAMPLES / "simulated.dcm"
    ended = measure(scan)
    assert ended.status == 0
    assert all(line.startswith(f"warning: {scan}: ") for line in ended.err)
    parts = ("hotspots.csv", "hotspots.tif", "json", "measures.json", "regions.csv", "regions.tif", "skeleton.tif")
    assert names_in(out) == [f"simulated.{part}" for part in parts]
    facts = facts_of(out, "simulated")
    segmented = json.loads((out / "simulated.json").read_text(encoding="utf-8"))
    assert facts["models"] == {
        DEFAULT_MODEL: segmented["model_sha256"],
        HOT_SPOT_MODEL: read_card(shipped_folder("weights") / f"{HOT_SPOT_MODEL}.json").weights_sha256,
    }
    assert facts["source_sha256"] == segmented["source_sha256"]
    assert facts["seconds"] > 0
    assert facts["about"] == RESEARCH_ONLY == ended.out[-1]
    index = facts["bone_scan_index"]
    distal = ("forearm", "hand", "lower_leg", "foot")
    proximal = [part["index"] for part in index["by_region"] if part["region"] not in distal]
    assert index["total"] == pytest.approx(sum(proximal))
    spots = rows_of(out / "simulated.hotspots.csv")
    labels = tifffile.imread(out / "simulated.hotspots.tif")
    assert {(spot["view"], int(spot["id"])) for spot in spots} == {
        (view, int(number))
        for view, plane in zip(("anterior", "posterior"), labels, strict=True)
        for number in np.unique(plane[plane > 0])
    }
    for row in rows_of(out / "simulated.regions.csv"):
        if row["region"] == "skeleton" and not row["side"]:
            view = ["anterior", "posterior"].index(row["view"])
            bone = tifffile.imread(out / "simulated.skeleton.tif")[view] > 0
            assert int(row["pixels"]) == bone.sum()
            assert float(row["area_mm2"]) == pytest.approx(bone.sum() * np.prod(facts["spacing_mm"]), rel=1e-5)
            assert float(row["counts"]) == pytest.approx(open_scan(scan).counts[view][bone].sum(), rel=1e-5)

    corrected = tifffile.imread(out / "simulated.regions.tif")
    corrected[:, :200] = 0
    tifffile.imwrite(out / "simulated.regions.tif", corrected)
    kept = measure(scan)
    assert kept.out[0] == (
        f"{scan}: kept {out / 'simulated.measures.json'} (made with other masks; --overwrite replaces it)"
    )
    assert measure(scan, "--overwrite").status == 0
    np.testing.assert_array_equal(tifffile.imread(out / "simulated.regions.tif"), corrected)
    assert "skull" not in {row["region"] for row in rows_of(out / "simulated.regions.csv") if int(row["pixels"])}


def test_given_masks_are_measured_with_and_nothing_is_segmented(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given()
    ended = measure(scan, "--masks", masks)
    assert (ended.status, ended.err) == (0, [])
    assert names_in(out) == FILES
    assert facts_of(out)["masks"]["files"] == ["scan.regions.tif"]
    assert facts_of(out)["masks"]["given"] is True
    spots = rows_of(out / "scan.hotspots.csv")
    assert [(spot["view"], spot["region"]) for spot in spots] == [
        ("anterior", "thoracic_spine"),
        ("posterior", "thoracic_spine"),
    ]
    assert all(abs(float(spot["row"]) - HOT[0]) < 1 and abs(float(spot["column"]) - HOT[1]) < 1 for spot in spots)
    assert ended.out[1].endswith(f"-> {out / 'scan.measures.json'}")
    assert ended.out[-2] == "1 measured, 0 kept, 0 failed."


@pytest.mark.parametrize(
    ("form", "name"), [("seg", "scan"), ("seg", "1.2.840.99"), ("nifti", "scan"), ("tiff", "scan")]
)
def test_masks_of_every_format_are_found_for_their_scan(
    measure: Measure, given: WriteScan, masks: Path, out: Path, form: str, name: str
) -> None:
    path = given()
    (masks / "scan.regions.tif").unlink()
    WRITERS[form](masks / name, MaskOfScan(open_scan(path), regions()))
    ended = measure(path, "--masks", masks)
    assert (ended.status, ended.err) == (0, [])
    pixels = {
        (row["view"], row["region"]): row["pixels"] for row in rows_of(out / "scan.regions.csv") if not row["side"]
    }
    assert pixels["posterior", "pelvis"] == "600"


def test_a_mask_that_is_missing_too_large_or_without_regions_fails_with_a_reason(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    missing, large, plain, good = (given(f"{name}.dcm", brighter=n) for n, name in enumerate(("a", "b", "c", "d")))
    (masks / "a.regions.tif").unlink()
    write_labels(masks / "b.regions.tif", np.repeat(regions(), 2, axis=1), None)
    write_labels(masks / "c.regions.tif", (regions() > 0).astype(np.uint8), None)
    ended = measure(missing, large, plain, good, "--masks", masks)
    assert ended.status == 1
    assert ended.out[-2] == "1 measured, 0 kept, 3 failed."
    assert ended.err[0].startswith(f"error: {missing}: {masks} has no mask of this scan; name it a.regions.tif, ")
    assert ended.err[1].startswith(
        f"error: {masks / 'b.regions.tif'}: The mask has 32 x 128 pixels and the scan 32 x 64"
    )
    assert ended.err[2].startswith(f"error: {masks / 'c.regions.tif'}: marks bone without naming regions")
    assert names_in(out) == [name.replace("scan", "d") for name in FILES]


def test_measures_that_exist_are_kept_and_foreign_files_stay(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given("monday/scan.dcm")
    shutil.copytree(masks / "monday", masks, dirs_exist_ok=True)
    measure(scan, "--masks", masks)
    before = {name: (out / name).read_bytes() for name in names_in(out)}
    assert measure(scan, "--masks", masks).out[0] == f"{scan}: kept {out / 'scan.measures.json'}"
    other = given("tuesday/scan.dcm", brighter=1)
    for overwrite in ([], ["--overwrite"]):
        ended = measure(other, "--masks", masks, *overwrite)
        assert ended.status == 1
        assert f"{out / 'scan.measures.json'} is the result of another scan, scan.dcm with SHA-256 " in ended.err[0]
    assert {name: (out / name).read_bytes() for name in names_in(out)} == before
    (out / "scan.measures.json").unlink()
    ended = measure(scan, "--masks", masks)
    assert ended.status == 1
    assert "scan.regions.csv: exists already, and scan.measures.json does not describe it" in ended.err[0]
    (out / "scan.measures.json").write_text('{"my": "notes"}', encoding="utf-8")
    ended = measure(scan, "--masks", masks, "--overwrite")
    assert "holds no measures of bonescint; move it" in ended.err[0]
    assert names_in(out) == FILES


def test_masks_of_another_model_are_not_measured_as_if_they_were_this_ones(
    measure: Measure, given: WriteScan, out: Path, make_model: Callable[..., ModelCard]
) -> None:
    scan = given()
    tiny = make_model().weights_path
    main(["segment", str(scan), "--out", str(out), "--model", str(tiny), "--device", "cpu"])
    before = (out / "scan.regions.tif").read_bytes()
    ended = measure(scan)
    assert ended.status == 1
    (error,) = [line for line in ended.err if line.startswith("error")]
    assert f"{out / 'scan.regions.tif'} was made with model tiny; --overwrite replaces it" in error
    assert (out / "scan.regions.tif").read_bytes() == before
    assert names_in(out) == ["scan.json", "scan.regions.tif", "scan.skeleton.tif"]
    assert measure(scan, "--model", tiny).status == 0
    assert next(iter(facts_of(out)["models"])) == "tiny"
    assert (out / "scan.regions.tif").read_bytes() == before


def test_a_table_has_a_row_for_each_scan_and_no_identity(
    measure: Measure, given: WriteScan, masks: Path, tmp_path: Path, out: Path
) -> None:
    for number in range(3):
        given(f"export/{number}/IM1.dcm", brighter=number)
    given("export/Secret/IM4711.dcm", brighter=3)
    given("export/bad.dcm", brighter=4)
    shutil.copytree(masks / "export", masks, dirs_exist_ok=True)
    (masks / "bad.regions.tif").unlink()
    table = tmp_path / "tables" / "all.csv"
    words = (tmp_path / "export", "--masks", masks, "--table", table)
    assert measure(*words).status == 1
    rows = rows_of(table)
    assert [row["name"] for row in rows] == ["bad", "0/IM1", "1/IM1", "2/IM1", "scan 5"]
    assert rows[0]["warnings"] == "Not measured; the command's messages say why."
    assert rows[0]["bone_scan_index"] == ""
    facts = facts_of(out / "1", "IM1")
    assert float(rows[2]["bone_scan_index"]) == pytest.approx(facts["bone_scan_index"]["total"], rel=1e-5)
    assert (rows[2]["views"], rows[2]["hot_spots"]) == ("anterior posterior", "2")
    assert "Secret" not in table.read_text(encoding="utf-8")
    assert {ratio["name"] for ratio in facts["ratios"]} <= rows[2].keys()
    # The same command again, after some results were lost, writes the same table.
    before = table.read_bytes()
    table.unlink()
    shutil.rmtree(out / "1")
    again = measure(*words, "--workers", "2")
    assert again.out[-2] == "1 measured, 3 kept, 1 failed."
    assert table.read_bytes() == before


def test_a_picture_of_one_view_without_spacing_is_measured_as_far_as_it_allows(
    measure: Measure, tmp_path: Path, masks: Path, out: Path, thresholds: None
) -> None:
    Image.fromarray((counts(1)[0] / 2).astype(np.uint8)).save(tmp_path / "scan.png")
    masks.mkdir()
    write_labels(masks / "scan.regions.tif", regions(1), None)
    ended = measure(tmp_path / "scan.png", "--view", "anterior", "--masks", masks)
    assert ended.status == 0
    facts = facts_of(out)
    assert {"area_mm2", "counts"} <= facts["absent"].keys()
    assert facts["spacing_mm"] is None
    row = rows_of(out / "scan.regions.csv")[0]
    assert (row["area_mm2"], row["counts"]) == ("", "")
    assert int(row["pixels"]) == 55 * 20
    (spot,) = rows_of(out / "scan.hotspots.csv")
    assert (spot["area_mm2"], spot["other_view_id"]) == ("", "")
    assert facts["bone_scan_index"]["by_view"].keys() == {"anterior"}


def test_a_model_without_regions_is_one_sentence(
    measure: Measure, write_nm: WriteScan, make_model: Callable[..., ModelCard], out: Path
) -> None:
    ended = measure(write_nm(), "--model", make_model("plain", outputs=1).weights_path)
    assert (ended.status, ended.out) == (1, [])
    assert len(ended.err) == 1
    assert ended.err[0].startswith("bonescint: The model plain marks bone without naming regions; choose a model that ")
    assert not out.exists()


def test_masks_made_with_other_views_are_refused(
    measure: Measure, write_nm: WriteScan, out: Path, tmp_path: Path, make_model: Callable[..., ModelCard]
) -> None:
    scan = write_nm(views=(ANTERIOR,), counts=counts(1))
    tiny = make_model().weights_path
    main(["segment", str(scan), "--out", str(tmp_path / "flipped"), "--model", str(tiny), "--view", "posterior"])
    ended = measure(scan, "--masks", tmp_path / "flipped")
    assert ended.status == 1
    assert "scan.regions.tif: was made with other views; give the options" in ended.err[-1]


def years(given: WriteScan) -> list[Path]:
    """Two scans of one patient and one of another, in the order of their names."""
    return [
        given("archive/a/IM1.dcm", StudyDate="20230305", AcquisitionDate="20230305"),
        given("archive/b/IM1.dcm", brighter=1, StudyDate="20240305", AcquisitionDate="20240305"),
        given("archive/c/IM1.dcm", brighter=2, PatientID="0815", PatientName="Else^Somebody", StudyDate="20240306"),
    ]


def test_each_scan_of_a_folder_is_compared_with_the_latest_earlier_one_of_its_patient(
    measure: Measure, given: WriteScan, masks: Path, tmp_path: Path, out: Path
) -> None:
    years(given)
    shutil.copytree(masks / "archive", masks, dirs_exist_ok=True)
    table = tmp_path / "all.csv"
    archive = tmp_path / "archive"
    words = (archive, "--prior", archive, "--masks", masks, "--table", table)
    ended = measure(*words)
    assert ended.status == 0
    assert f"2 scans have no earlier scan in {archive}, and no comparison." in ended.out
    assert [name for name in names_in(out) if ".comparison." in name] == [
        "b/IM1.comparison.csv",
        "b/IM1.comparison.json",
    ]
    comparison = json.loads((out / "b" / "IM1.comparison.json").read_text(encoding="utf-8"))
    assert comparison["prior"]["source_sha256"] == facts_of(out / "a", "IM1")["source_sha256"]
    assert [lesion["change"] for lesion in comparison["lesions"]] == ["same"] * len(comparison["lesions"])
    rows = {row["name"]: row for row in rows_of(table)}
    assert rows["b/IM1"]["days_since_prior"] == "366"
    assert float(rows["b/IM1"]["bone_scan_index_change"]) == pytest.approx(0, abs=0.05)
    assert (rows["b/IM1"]["new_lesions"], rows["a/IM1"]["new_lesions"]) == ("0", "")
    # A comparison that is missing is made again, and nothing else is.
    before = table.read_bytes(), (out / "b" / "IM1.measures.json").read_bytes()
    (out / "b" / "IM1.comparison.json").unlink()
    assert measure(*words).out[-2] == "1 measured, 2 kept, 0 failed."
    assert (table.read_bytes(), (out / "b" / "IM1.measures.json").read_bytes()) == before
    assert (out / "b" / "IM1.comparison.json").exists()
    # A third scan of the patient makes a series.
    given("archive/d/IM1.dcm", brighter=3, StudyDate="20250305", AcquisitionDate="20250305")
    shutil.copytree(masks / "archive", masks, dirs_exist_ok=True)
    assert measure(*words).out[-2] == "1 measured, 3 kept, 0 failed."
    series = json.loads((out / "d" / "IM1.comparison.json").read_text(encoding="utf-8"))
    assert [scan["days_before"] for scan in series["follow_up"]["scans"]] == [731, 365, 0]
    assert series["prior"]["source_sha256"] == facts_of(out / "b", "IM1")["source_sha256"]
    assert {row["name"]: row["progression"] for row in rows_of(table)}["d/IM1"] == "none"
    assert measure(*words).out[-2] == "0 measured, 4 kept, 0 failed."


def test_a_prior_scan_of_another_patient_is_refused_unless_the_user_knows_better(
    measure: Measure, given: WriteScan, masks: Path, out: Path, tmp_path: Path
) -> None:
    old, _, other = years(given)
    shutil.copytree(masks / "archive" / "c", masks, dirs_exist_ok=True)
    shutil.copytree(masks / "archive" / "a", masks / "old")
    words = (other, "--prior", old, "--masks", masks)
    refused = measure(*words)
    assert refused.status == 1
    assert refused.err[-1].startswith(f"error: {other}: The files of the two scans name different patients; ")
    assert refused.err[-1].endswith("Option: --same-patient.")
    assert "IM1.measures.json" in names_in(out)
    assert not [name for name in names_in(out) if ".comparison." in name]
    assert measure(*words, "--same-patient").status == 0
    assert (out / "IM1.comparison.csv").exists()
    third = given("third.dcm", brighter=5)
    again = measure(other, "--prior", third, "--masks", masks, "--same-patient")
    assert again.status == 1
    assert "is a comparison with another prior scan than" in again.err[-1]


def test_reports_are_written_and_a_foreign_file_in_their_place_stays(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given()
    assert measure(scan, "--masks", masks).status == 0
    before = (out / "scan.measures.json").read_bytes()
    (out / "scan.report.html").write_text("my notes", encoding="utf-8")
    refused = measure(scan, "--masks", masks, "--report")
    assert refused.status == 1
    assert refused.err[-1].startswith(
        f"error: {out / 'scan.report.html'}: exists already and is no report of this scan"
    )
    (out / "scan.report.html").unlink()
    ended = measure(scan, "--masks", masks, "--report")
    assert (ended.status, ended.out[-2]) == (0, "1 measured, 0 kept, 0 failed.")
    assert (out / "scan.measures.json").read_bytes() == before
    reports = {"scan.report.pdf", "scan.report.html", "scan.report.dcm", "scan.sr.dcm", "scan.anterior.seg.dcm"}
    assert reports <= set(names_in(out))
    assert (out / "scan.report.pdf").read_bytes().startswith(b"%PDF")
    assert measure(scan, "--masks", masks, "--report").out[0] == f"{scan}: kept {out / 'scan.measures.json'}"
    # Hot spots that a report holds as DICOM SEG are no masks.
    ended = measure(scan, "--masks", out)
    assert f"{out} has no mask of this scan" in ended.err[0]


def test_a_report_without_the_identifiers_for_dicom_files_is_written_with_a_warning(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given(StudyInstanceUID="")
    ended = measure(scan, "--masks", masks, "--report")
    assert (ended.status, ended.out[-2]) == (0, "1 measured, 0 kept, 0 failed.")
    (warning,) = [line for line in ended.err if "scan.dcm: has no StudyInstanceUID, so a DICOM" in line]
    assert warning.startswith(f"warning: {scan}: ")
    assert warning.endswith("The report has no files for an archive.")
    assert {"scan.report.pdf", "scan.report.html"} <= set(names_in(out))
    assert not [name for name in names_in(out) if name.endswith(".dcm")]


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["measure", "--help"])
    assert ended.value.code == 0
    assert "bonescint measure scan.dcm --out measured" in capsys.readouterr().out
