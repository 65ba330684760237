"""`bonescint segment`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pydicom.data
import pytest
import tifffile
from PIL import Image

from dicom_files import ANTERIOR, POSTERIOR, some_counts
from napari_bonescint.cli import main
from napari_bonescint.scan import SAME_VIEW

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]
    Segment = Callable[..., "Ended"]
    WriteScan = Callable[..., Path]

NOTICE = "Research software, not a medical device: check every mask by eye."
NM1 = pydicom.data.get_testdata_file("JPEG-LL.dcm", download=False)


class Ended(NamedTuple):
    status: int
    out: list[str]
    err: list[str]

    @property
    def complaints(self) -> list[str]:
        """What standard error holds, less the doubts that random counts and random weights raise."""
        return [line for line in self.err if not re.search(r": The (anterior|posterior) view ", line)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def model(make_model: MakeModel) -> str:
    return str(make_model().weights_path)


@pytest.fixture
def segment(out: Path, model: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run `bonescint segment` with the small model on the CPU."""

    def run(*arguments: str | Path, model: str = model) -> Ended:
        words = [str(word) for word in arguments]
        status = main(["segment", *words, "--out", str(out), "--model", model, "--device", "cpu"])
        said = capsys.readouterr()
        return Ended(status, said.out.splitlines(), said.err.splitlines())

    return run


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def facts_of(folder: Path, stem: str = "scan") -> dict:
    return json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


def write_png(path: Path, width: int = 32) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(some_counts(1, columns=width)[0].astype(np.uint8)).save(path)
    return path


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


def test_what_is_there_is_kept_unless_overwritten(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    scan = write_nm()
    segment(scan)
    (out / "scan.skeleton.tif").write_bytes(b"corrected by hand")
    before = contents(out)
    kept = segment(scan)
    assert kept.status == 0
    assert contents(out) == before
    assert kept.out == [f"{scan}: kept {out / 'scan.skeleton.tif'}", "0 segmented, 1 kept, 0 failed.", NOTICE]
    assert segment(scan, "--overwrite").out[-2] == "1 segmented, 0 kept, 0 failed."
    assert tifffile.imread(out / "scan.skeleton.tif").shape == (2, 64, 32)


@pytest.mark.parametrize("lost", ["scan.json", "scan.regions.tif"])
def test_a_mask_of_unknown_origin_is_not_replaced(segment: Segment, write_nm: WriteScan, out: Path, lost: str) -> None:
    scan = write_nm()
    segment(scan)
    (out / lost).unlink()
    (out / "scan.skeleton.tif").write_bytes(b"corrected by hand")
    refused = segment(scan)
    assert refused.status == 1
    assert (out / "scan.skeleton.tif").read_bytes() == b"corrected by hand"
    assert segment(scan, "--overwrite").status == 0
    assert tifffile.imread(out / "scan.skeleton.tif").shape == (2, 64, 32)


def test_a_kept_result_says_what_would_now_be_otherwise(
    segment: Segment, tmp_path: Path, out: Path, make_model: MakeModel
) -> None:
    scan = write_png(tmp_path / "scan.png")
    segment(scan, "--view", "anterior", "--spacing", "2")
    other = str(make_model("other", outputs=1).weights_path)
    kept = segment(scan, "--view", "posterior", "--spacing", "3", model=other)
    assert kept.out[0] == (
        f"{scan}: kept {out / 'scan.skeleton.tif'} "
        "(made with model tiny, other views, another spacing; --overwrite replaces it)"
    )
    assert facts_of(out)["model"] == "tiny"


def test_a_result_without_its_masks_is_made_again(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    scan = write_nm()
    segment(scan)
    (out / "scan.skeleton.tif").unlink()
    (out / "scan.regions.tif").unlink()
    assert segment(scan).out[-2] == "1 segmented, 0 kept, 0 failed."
    assert (out / "scan.regions.tif").exists()


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_a_result_of_another_scan_is_an_error_that_names_both(
    segment: Segment, write_nm: WriteScan, out: Path, overwrite: tuple[str, ...]
) -> None:
    segment(write_nm("monday/scan.dcm"))
    before = contents(out)
    other = write_nm("tuesday/scan.dcm", counts=some_counts(2) + 1)
    ended = segment(other, *overwrite)
    assert ended.status == 1
    assert contents(out) == before
    (error,) = ended.complaints
    assert error.startswith(
        f"error: {other}: {out / 'scan.json'} is the result of another scan, scan.dcm with SHA-256 "
    )
    assert facts_of(out)["source_sha256"][:8] in error


def test_a_foreign_file_in_the_place_of_a_result_stays(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    out.mkdir()
    (out / "scan.json").write_text('{"my": "notes"}', encoding="utf-8")
    ended = segment(write_nm())
    assert ended.status == 1
    assert "is not a result of bonescint" in ended.complaints[0]
    assert files_in(out) == ["scan.json"]


def test_inputs_with_one_place_for_their_results_are_an_error_that_names_all(
    segment: Segment, write_nm: WriteScan, out: Path
) -> None:
    rivals = [write_nm("monday/scan.dcm"), write_nm("tuesday/scan.dcm", counts=some_counts(2) + 1)]
    ended = segment(*rivals, write_nm("third.dcm"))
    assert ended.status == 1
    assert files_in(out) == ["third.json", "third.regions.tif", "third.skeleton.tif"]
    (error,) = ended.complaints
    assert error.startswith(f"error: {rivals[0]}, {rivals[1]}: would all be written to {out / 'scan.skeleton.tif'};")
    assert ended.out[-2] == "1 segmented, 0 kept, 2 failed."


def test_a_file_named_twice_is_segmented_once(segment: Segment, write_nm: WriteScan) -> None:
    scan = write_nm()
    assert segment(scan, scan.parent / ".." / scan.parent.name / "scan.dcm").out[-2] == "1 segmented, 0 kept, 0 failed."


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


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "napari_bonescint", "segment", *map(str, arguments), "--device", "cpu"]


def test_neither_qt_nor_napari_is_imported_nor_torch_where_all_is_done(
    write_nm: WriteScan, out: Path, model: str
) -> None:
    code = (
        "import sys; from napari_bonescint.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    words = [sys.executable, "-c", code, "segment", str(write_nm()), "--out", str(out), "--model", model]
    first, second = (
        set(subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()[-1].split())
        for _ in range(2)
    )
    assert "openvino" in first
    assert second.isdisjoint({"openvino", "torch"})
    assert first.isdisjoint({"napari", "qtpy", "PySide6", "PyQt6", "PyQt5", "magicgui", "vispy"})


def test_without_a_terminal_there_are_plain_lines_only(write_nm: WriteScan, out: Path, model: str) -> None:
    done = subprocess.run(
        command(write_nm("Knöchel.dcm"), "--out", out, "--model", model),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    assert all(line.startswith(b"warning: ") for line in done.stderr.splitlines())
    assert b"\r" not in (done.stdout + done.stderr).replace(b"\r\n", b"\n")
    assert b"Kn\\xf6chel.dcm: anterior and posterior in " in done.stdout
    assert (out / "Knöchel.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals to test with")
def test_on_a_terminal_there_is_a_progress_bar_below_the_lines(write_nm: WriteScan, out: Path, model: str) -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 300))
    scans = [write_nm("a.dcm"), write_nm("b.dcm")]
    with subprocess.Popen(command(*scans, "--out", out, "--model", model), stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read_terminal(ours):
            shown += chunk
        assert process.wait() == 0
    os.close(ours)
    text = shown.decode()
    assert "a.dcm   0%|" in text
    assert "a.dcm  40%|" in text
    assert "b.dcm  90%|" in text
    # The bar is wiped away in the end, and what stays are whole lines.
    lines = [line.rpartition("\r")[2] for line in text.split("\r\n")]
    assert lines[-3:] == ["2 segmented, 0 kept, 0 failed.", NOTICE, ""]
    assert [line.endswith(".skeleton.tif") for line in lines].count(True) == 2


def _read_terminal(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # on Linux, how a terminal says that nobody writes to it any more
        return b""


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process alone")
def test_ctrl_c_leaves_whole_results_and_the_next_run_goes_on(
    segment: Segment, write_nm: WriteScan, tmp_path: Path, out: Path, model: str
) -> None:
    scans = 40
    for number in range(scans):
        write_nm(f"export/{number:02}.dcm", counts=some_counts(2, rows=512, columns=128) + number)
    words = command(tmp_path / "export", "--out", out, "--model", model)
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "->" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == 130
    assert err.endswith("Interrupted.\n")
    assert "Traceback" not in err
    stems = {name.partition(".")[0] for name in files_in(out)}
    assert 1 <= len(stems) < scans
    assert len(files_in(out)) == 3 * len(stems)
    assert segment(tmp_path / "export").out[-2] == f"{scans - len(stems)} segmented, {len(stems)} kept, 0 failed."
