"""`bonescint measure`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from commands.measuring import HOT, Measure, WriteScan, counts, facts_of, regions, rows_of
from commands.segmenting import files_in
from dicom_files import ANTERIOR
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
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

FILES = [f"scan.{ending}" for ending in ("hotspots.csv", "hotspots.tif", "measures.json", "regions.csv")]


def test_a_scan_is_segmented_and_measured_and_a_corrected_mask_is_measured_again(measure: Measure, out: Path) -> None:
    scan = SAMPLES / "simulated.dcm"
    ended = measure(scan)
    assert ended.status == 0
    assert all(line.startswith(f"warning: {scan}: ") for line in ended.err)
    parts = ("hotspots.csv", "hotspots.tif", "json", "measures.json", "regions.csv", "regions.tif", "skeleton.tif")
    assert files_in(out) == [f"simulated.{part}" for part in parts]
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
    assert files_in(out) == FILES
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
    assert files_in(out) == [name.replace("scan", "d") for name in FILES]


def test_measures_that_exist_are_kept_and_foreign_files_stay(
    measure: Measure, given: WriteScan, masks: Path, out: Path
) -> None:
    scan = given("monday/scan.dcm")
    shutil.copytree(masks / "monday", masks, dirs_exist_ok=True)
    measure(scan, "--masks", masks)
    before = {name: (out / name).read_bytes() for name in files_in(out)}
    assert measure(scan, "--masks", masks).out[0] == f"{scan}: kept {out / 'scan.measures.json'}"
    other = given("tuesday/scan.dcm", brighter=1)
    for overwrite in ([], ["--overwrite"]):
        ended = measure(other, "--masks", masks, *overwrite)
        assert ended.status == 1
        assert f"{out / 'scan.measures.json'} is the result of another scan, scan.dcm with SHA-256 " in ended.err[0]
    assert {name: (out / name).read_bytes() for name in files_in(out)} == before
    (out / "scan.measures.json").unlink()
    ended = measure(scan, "--masks", masks)
    assert ended.status == 1
    assert "scan.regions.csv: exists already, and scan.measures.json does not describe it" in ended.err[0]
    (out / "scan.measures.json").write_text('{"my": "notes"}', encoding="utf-8")
    ended = measure(scan, "--masks", masks, "--overwrite")
    assert "holds no measures of bonescint; move it" in ended.err[0]
    assert files_in(out) == FILES


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
    assert files_in(out) == ["scan.json", "scan.regions.tif", "scan.skeleton.tif"]
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


def test_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["measure", "--help"])
    assert ended.value.code == 0
    assert "bonescint measure scan.dcm --out measured" in capsys.readouterr().out
