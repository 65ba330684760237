"""The command line as a whole: versions, help, exit statuses, and what it imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_bonescint import __version__
from napari_bonescint.cli import main

COMMANDS = ("segment", "models", "simulate", "train", "evaluate")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"bonescint {__version__}\n"


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_shows_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"\n  bonescint {command}" in text


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(f"\n    {command} " in text for command in COMMANDS)
    assert "not a medical device" in text


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "COMMAND"),
        (["draw"], "invalid choice: 'draw'"),
        (["segment"], "INPUT"),
        (["segment", "scan.dcm"], "--out"),
        (["segment", "scan.dcm", "--out", "x", "--model", "fdn-99"], "There is no model 'fdn-99'"),
        (["segment", "scan.dcm", "--out", "x", "--device", "tpu"], "'tpu' is none of auto, cpu, cuda and cuda:N"),
        (["segment", "scan.dcm", "--out", "x", "--view", "lateral"], "invalid choice: 'lateral'"),
        (["segment", "scan.dcm", "--out", "x", "--spacing", "0"], "'0' is no length in millimetres"),
        (["segment", "scan.dcm", "--out", __file__], "is a file, not a folder"),
        (["simulate"], "--out"),
        (["simulate", "--out", "x", "--count", "0"], "'0' is no number from 1"),
        (["simulate", "--out", "x", "--first", "-3"], "'-3' is no seed"),
        (["simulate", "--out", "x", "--split", "exam"], "invalid choice: 'exam'"),
        (["evaluate", "--data", "x", "--model", "fdn-99"], "There is no model 'fdn-99'"),
        (["evaluate", "--data", "x", "--device", "tpu"], "'tpu' is none of auto, cpu, cuda and cuda:N"),
    ],
)
def test_a_wrong_command_is_status_2_and_says_why(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "napari_bonescint", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"bonescint {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["segment", "--help"], ["train", "--help"], ["evaluate", "--help"], ["models"]]
)
def test_no_torch_qt_or_napari_is_imported_before_it_is_needed(arguments: list[str]) -> None:
    code = (
        "import sys; from napari_bonescint.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    imported = set(done.stderr.strip().strip("[]").replace("'", "").split(", "))
    assert "napari_bonescint" in imported
    assert imported.isdisjoint({"torch", "napari", "qtpy", "PySide6", "PyQt6", "PyQt5", "magicgui", "vispy", "jinja2"})
    # Files are checked by pydantic, and none is read for a help text.
    assert arguments == ["models"] or "pydantic" not in imported


def test_a_reader_that_stops_reading_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "napari_bonescint", "models"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1
