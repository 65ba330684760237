"""`bonescint segment`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom.data
import tifffile

from commands.segmenting import NOTICE, Ended, contents, facts_of, files_in, write_png
from dicom_files import ANTERIOR, POSTERIOR, some_counts
from napari_bonescint.cli import main
from napari_bonescint.scan import SAME_VIEW

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]
    Segment = Callable[..., "Ended"]
    WriteScan = Callable[..., Path]


NM1 = pydicom.data.get_testdata_file("JPEG-LL.dcm", download=False)


def test_a_scan_gets_masks_and_facts(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    scan = write_nm()
    ended = segment(scan)
    assert (ended.status, ended.complaints) == (0, [])
    assert files_in(out) == ["scan.json", "scan.regions.tif", "scan.skeleton.tif"]
    skeleton, regions = (tifffile.imread(out / f"scan.{kind}.tif") for kind in ("skeleton", "regions"))
    assert skeleton.shape == regions.shape == (2, 64, 32)
    np.testing.assert_array_equal(skeleton, regions > 0)
    facts = facts_of(out)
    assert [view["name"] for view in facts["views"]] == ["anterior", "posterior"]
    assert [view["source"] for view in facts["views"]] == ["file", "file"]
    assert facts["spacing_mm"] == [2.4, 2.2]
    assert facts["sources"] == ["scan.dcm"]
    assert (facts["model"], facts["device"], facts["backend"]) == ("tiny", "cpu", "openvino")
    assert facts["device_reason"] == "CPU: chosen by the user"
    model_line, scan_line, *last = ended.out
    assert model_line == "Model tiny. CPU: chosen by the user."
    assert scan_line.startswith(f"{scan}: anterior and posterior in ")
    assert scan_line.endswith(f" -> {out / 'scan.skeleton.tif'}")
    assert last == ["1 segmented, 0 kept, 0 failed.", NOTICE]


def test_what_is_no_bone_scan_is_warned_of_and_segmented(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    path = write_nm(counts=2000 - some_counts(2))
    ended = segment(path)
    assert ended.status == 0
    for view in ("anterior", "posterior"):
        sentence = f"The {view} view is bright up to its edges"
        assert [line for line in ended.err if line.startswith(f"warning: {path}: {sentence}")]
        assert any(warning.startswith(sentence) for warning in facts_of(out, "scan")["warnings"])


def test_hashes_are_those_of_the_files(segment: Segment, write_nm: WriteScan, out: Path, model: str) -> None:
    scan = write_nm()
    segment(scan)
    for key, path in (("source_sha256", scan), ("model_sha256", Path(model))):
        summed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True).stdout.split()[0]
        assert facts_of(out)[key] == summed


def test_no_identity_and_no_path_gets_into_the_results(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    scan = write_nm("Ward 7/scan.dcm")
    segment(scan)
    everything = b"".join(contents(out).values())
    for secret in (b"Secret", b"4711", b"Hidden", b"Ward 7", bytes(out.parent)):
        assert secret not in everything


def test_a_model_without_regions_writes_none(
    segment: Segment, write_nm: WriteScan, out: Path, make_model: MakeModel
) -> None:
    segment(write_nm(), model=str(make_model("plain", outputs=1).weights_path))
    assert files_in(out) == ["scan.json", "scan.skeleton.tif"]


def test_the_real_scan_names_no_view_and_that_is_said_once(segment: Segment, out: Path) -> None:
    ended = segment(NM1)
    assert ended.status == 0
    assert facts_of(out, "JPEG-LL")["views"] == [{"name": "anterior", "source": "assumed", "flipped": False}]
    assert tifffile.imread(out / "JPEG-LL.skeleton.tif").shape == (1, 1024, 256)
    warning = "The file does not name its view; it was taken as anterior."
    assert [line for line in ended.err if warning in line] == [f"warning: {NM1}: {warning} Option: --view."]
    assert warning in facts_of(out, "JPEG-LL")["warnings"]


def test_view_and_spacing_of_a_picture_come_from_the_user(segment: Segment, tmp_path: Path, out: Path) -> None:
    ended = segment(write_png(tmp_path / "back.png"), "--view", "posterior", "--spacing", "2.5")
    assert (ended.status, ended.complaints) == (0, [])
    facts = facts_of(out, "back")
    assert facts["views"] == [{"name": "posterior", "source": "user", "flipped": False}]
    assert facts["spacing_mm"] == [2.5, 2.5]


def test_sides_are_split_on_request(segment: Segment, tmp_path: Path, out: Path) -> None:
    segment(write_png(tmp_path / "both.png", width=64), "--split-sides", "--spacing", "2.5")
    assert [view["name"] for view in facts_of(out, "both")["views"]] == ["anterior", "posterior"]
    assert tifffile.imread(out / "both.skeleton.tif").shape == (2, 64, 32)


def test_the_user_overrules_the_file_about_a_view(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    ended = segment(write_nm(views=(ANTERIOR,)), "--view", "posterior")
    assert ended.status == 0
    assert facts_of(out)["views"] == [{"name": "posterior", "source": "overruled", "flipped": False}]
    assert "The file names the posterior view anterior; the user's name was used." in facts_of(out)["warnings"]


def test_two_files_of_one_study_are_not_both_anterior_without_a_word(
    segment: Segment, write_nm: WriteScan, out: Path
) -> None:
    study = {"StudyInstanceUID": "1.2.3", "SeriesDescription": "Bone WB ANT/POST 3H"}
    ended = segment(*(write_nm(name, views=(None,), **study) for name in ("a.dcm", "p.dcm")))
    assert ended.status == 0
    for name in "ap":
        assert facts_of(out, name)["views"][0]["source"] == "assumed"
        assert SAME_VIEW in facts_of(out, name)["warnings"]
        assert sum(f"{name}.dcm: {SAME_VIEW}" in line for line in ended.err) == 1


def test_a_flipped_posterior_view_is_recorded(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    segment(write_nm(), "--flip-posterior")
    assert [view["flipped"] for view in facts_of(out)["views"]] == [False, True]


def test_results_of_a_folder_lie_as_its_files_do(
    segment: Segment, write_nm: WriteScan, tmp_path: Path, out: Path
) -> None:
    write_nm("export/one/IM0001")
    write_nm("export/two/deep/IM0001")
    write_nm("export/1.2.840.113619.2.1")
    ended = segment(tmp_path / "export")
    assert (ended.status, ended.complaints) == (0, [])
    assert [name for name in files_in(out) if name.endswith(".json")] == [
        "1.2.840.113619.2.1.json",
        "one/IM0001.json",
        "two/deep/IM0001.json",
    ]
    assert ended.out[0] == f"Looking for scans in {tmp_path / 'export'}"


def test_two_views_of_one_study_are_one_result(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    study = {"StudyInstanceUID": "1.2.3", "SeriesInstanceUID": "1.2.3.4"}
    posterior = write_nm("b.dcm", views=(POSTERIOR,), **study)
    anterior = write_nm("c.dcm", views=(ANTERIOR,), **study)
    ended = segment(posterior, anterior)
    assert ended.status == 0
    assert files_in(out) == ["b.json", "b.regions.tif", "b.skeleton.tif"]
    assert facts_of(out, "b")["sources"] == ["c.dcm", "b.dcm"]
    assert [view["name"] for view in facts_of(out, "b")["views"]] == ["anterior", "posterior"]


def test_bad_inputs_are_reported_and_the_others_go_on(
    segment: Segment, write_nm: WriteScan, tmp_path: Path, out: Path
) -> None:
    text = tmp_path / "letter.dcm"
    text.write_text("Dear colleague", encoding="utf-8")
    tomographic = write_nm("spect.dcm", ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"])
    ended = segment(tmp_path / "missing.dcm", text, write_nm("good.dcm"), tomographic)
    assert ended.status == 1
    assert files_in(out) == ["good.json", "good.regions.tif", "good.skeleton.tif"]
    missing, no_dicom, tomo = ended.complaints
    assert missing.startswith(f"error: {tmp_path / 'missing.dcm'}: ")
    assert "does not exist" in missing
    assert "neither DICOM" in no_dicom
    assert "TOMO" in tomo
    assert ended.out[-2:] == ["1 segmented, 0 kept, 3 failed.", NOTICE]


def test_what_is_no_scan_in_a_folder_is_counted_in_one_line(
    segment: Segment, write_nm: WriteScan, tmp_path: Path
) -> None:
    write_nm("export/good.dcm")
    write_nm("export/slice1.dcm", Modality="CT")
    write_nm("export/slice2.dcm", Modality="CT")
    (tmp_path / "export" / "README.TXT").write_text("Viewer", encoding="utf-8")
    ended = segment(tmp_path / "export")
    assert (ended.status, ended.complaints) == (0, [])
    (skipped,) = [line for line in ended.out if line.startswith("Skipped")]
    assert skipped.startswith("Skipped 3 files in folders that are no planar bone scans: 2 x ")
    assert ended.out[-2] == "1 segmented, 0 kept, 0 failed."


def test_a_broken_scan_in_a_folder_is_reported_with_its_path(
    segment: Segment, write_nm: WriteScan, tmp_path: Path
) -> None:
    whole = write_nm("export/a/IM1")
    broken = write_nm("export/b/IM1")
    broken.write_bytes(whole.read_bytes()[:-500])
    ended = segment(tmp_path / "export")
    assert ended.status == 1
    (error,) = ended.complaints
    assert error.startswith(f"error: {broken}: ")
    assert ended.out[-2] == "1 segmented, 0 kept, 1 failed."


def test_a_folder_without_a_scan_is_a_failure(segment: Segment, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = segment(tmp_path / "empty")
    assert ended.status == 1
    assert ended.complaints == [f"error: {tmp_path / 'empty'}: The folder holds no planar bone scan."]


def test_a_folder_that_cannot_be_made_is_reported(
    write_nm: WriteScan, tmp_path: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    below = str(tmp_path / "file" / "below")
    assert main(["segment", str(write_nm()), "--out", below, "--model", model]) == 1
    assert f"error: {below}" in capsys.readouterr().err


def test_a_device_that_is_not_there_is_one_sentence(
    write_nm: WriteScan, out: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = [str(write_nm("a.dcm")), str(write_nm("b.dcm"))]
    assert main(["segment", *scans, "--out", str(out), "--model", model, "--device", "cuda:99"]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith("bonescint: There is no device cuda:99")
    assert not out.exists()


def test_damaged_weights_are_one_sentence(segment: Segment, write_nm: WriteScan, model: str, out: Path) -> None:
    Path(model).write_bytes(b"\0" * 1000)
    ended = segment(write_nm("a.dcm"), write_nm("b.dcm"))
    assert ended.status == 1
    (error,) = ended.complaints
    assert "its SHA-256 differs" in error
    assert not out.exists()
