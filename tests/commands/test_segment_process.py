"""`bonescint segment` as a process of its own: on a terminal, without one, and stopped by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from commands.segmenting import NOTICE, Ended, files_in
from dicom_files import some_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Segment = Callable[..., "Ended"]
    WriteScan = Callable[..., Path]


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
