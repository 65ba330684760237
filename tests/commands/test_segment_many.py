"""`bonescint segment` with several workers, killed and interrupted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from pydicom.uid import JPEGLosslessSV1

from damaged_files import DAMAGED
from dicom_files import some_counts
from napari_bonescint.cli import main
from napari_bonescint.results import Result
from running import Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

    WriteScan = Callable[..., Path]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither SIGKILL nor process groups")

SCANS = 30
NAMES = [f"{number:02}" for number in range(SCANS)]


@pytest.fixture
def model(make_model: Callable[..., ModelCard]) -> Path:
    return make_model().weights_path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def words(write_nm: WriteScan, tmp_path: Path, out: Path, model: Path) -> list[str | Path]:
    for number in range(SCANS):
        write_nm(f"export/{number:02}.dcm", counts=some_counts(2, rows=512, columns=128) + number)
    return ["segment", tmp_path / "export", "--out", out, "--model", model, "--device", "cpu"]


def whole_results(out: Path) -> list[str]:
    """Stems of the results that are there with all their files, each of its own scan."""
    facts = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(out.glob("*.json"))]
    assert len({each["source_sha256"] for each in facts}) == len(facts)
    for each in facts:
        assert all((out / mask).is_file() for mask in each["masks"])
    return [each["sources"][0].partition(".")[0] for each in facts]


def test_workers_say_and_write_what_one_process_does(
    write_nm: WriteScan, tmp_path: Path, out: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        write_nm(f"export/{number}.dcm", counts=some_counts(2) + number)
    write_nm("export/ct.dcm", Modality="CT")
    broken = write_nm("export/broken.dcm")
    broken.write_bytes(broken.read_bytes()[:-500])
    rivals = [write_nm(f"{day}/scan.dcm", counts=some_counts(2) + day) for day in (7, 8)]
    said = []
    for workers in ("1", "2"):
        shutil.rmtree(out, ignore_errors=True)
        words = ["segment", str(tmp_path / "export"), *map(str, rivals), "--out", str(out), "--workers", workers]
        for status in (1, 1):
            assert main([*words, "--model", str(model), "--device", "cpu"]) == status
            captured = capsys.readouterr()
            seconds = re.compile(r" in [0-9.]+ s ->")
            said.append([sorted(seconds.sub(" in # s ->", text).splitlines()) for text in captured])
        assert whole_results(out) == ["0", "1", "2", "3", "4", "5"]
    one, one_again, two, two_again = said
    assert one == two
    assert one_again == two_again


@pytest.mark.parametrize("workers", ["1", "2"])
def test_files_that_end_their_decoder_cost_no_other_scan(
    write_nm: WriteScan, tmp_path: Path, out: Path, model: Path, capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    for number in range(4):
        write_nm(f"export/{number}.dcm", counts=some_counts(2) + number, syntax=JPEGLosslessSV1)
    damaged = []
    for number, (write, _) in enumerate(DAMAGED.values()):
        damaged.append(write(tmp_path / "export" / f"1{number}.dcm"))
    words = ["segment", str(tmp_path / "export"), "--out", str(out), "--workers", workers, "--device", "cpu"]
    assert main([*words, "--model", str(model)]) == 1
    captured = capsys.readouterr()
    assert whole_results(out) == ["0", "1", "2", "3"]
    errors = sorted(line for line in captured.err.splitlines() if line.startswith("error: "))
    assert [error.split(": ")[1] for error in errors] == [str(path) for path in damaged]
    assert captured.out.splitlines()[-2] == f"4 segmented, 0 kept, {len(damaged)} failed."


def test_a_killed_worker_costs_no_scan(words: list[str | Path], out: Path) -> None:
    with Running([*words, "--workers", "2"]) as running:
        running.read_until_segmented(SCANS // 3)
        done = {name: (out / f"{name}.json").stat().st_mtime_ns for name in running.segmented}
        running.workers[0].kill()
        status = running.finish()
    assert (status, running.complaints) == (0, [])
    assert sorted(running.segmented) == NAMES
    assert running.lines[-2] == f"{SCANS} segmented, 0 kept, 0 failed."
    assert whole_results(out) == NAMES
    assert {name: (out / f"{name}.json").stat().st_mtime_ns for name in done} == done


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_killed_command_is_taken_up_by_the_same_command(words: list[str | Path], out: Path, workers: str) -> None:
    words = [*words, "--workers", workers]
    with Running(words) as first:
        first.read_until_segmented(SCANS // 3)
        orphans = first.workers
        first.kill()
        # Its workers notice that it is gone, once they have written what they are writing.
        _, alive = psutil.wait_procs(orphans, timeout=120)
    assert alive == []
    for name in NAMES:
        Result(out, name).recorded()  # puts files in place that the killed process had just written
    there = whole_results(out)
    assert SCANS // 3 <= len(there) < SCANS
    with Running(words) as second:
        assert second.finish() == 0
    assert second.complaints == []
    assert sorted(second.kept) == there
    assert sorted([*second.segmented, *second.kept]) == NAMES
    assert whole_results(out) == NAMES


def test_ctrl_c_ends_all_workers_and_the_next_run_goes_on(words: list[str | Path], out: Path) -> None:
    words = [*words, "--workers", "2"]
    with Running(words) as first:
        first.read_until_segmented(SCANS // 3)
        workers = first.workers
        first.interrupt()
        status = first.finish()
    assert (status, first.complaints) == (130, ["Interrupted."])
    assert not any(worker.is_running() for worker in workers)
    assert [path.name for path in out.iterdir() if path.name.startswith(".")] == []
    there = whole_results(out)
    assert len(there) < SCANS
    with Running(words) as second:
        assert second.finish() == 0
    assert sorted(second.kept) == there
    assert whole_results(out) == NAMES


def test_workers_and_a_cluster_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["segment", "a.dcm", "--out", "b", "--workers", "2", "--scheduler", "tcp://10.0.0.7:8786"])
    assert ended.value.code == 2
    assert "not allowed with argument --workers" in capsys.readouterr().err


def test_a_cluster_without_the_extra_is_one_sentence(write_nm: WriteScan, out: Path) -> None:
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from napari_bonescint.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", code, "segment", write_nm(), "--out", out, "--scheduler", "tcp://10.0.0.7:8786"]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "bonescint: A Dask cluster needs distributed, which is not installed: "
        'pip install "napari-bonescint[cluster]".\n'
    )
