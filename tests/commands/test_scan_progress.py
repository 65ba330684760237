"""What is shown while scans are segmented: lines for a file, and a bar below them for a terminal."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest

from napari_bonescint.batch.job import Job, Outcome
from napari_bonescint.commands.scan_progress import ScanProgress
from napari_bonescint.formats.opening import ScanSource
from napari_bonescint.results import Result


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True

    def shown(self) -> str:
        """What has been shown in the lowest line since the last look; of a bar, its name and per cent."""
        text = self.getvalue().rpartition("\r")[2]
        return text.partition("%")[0] if "%" in text else text.strip()


def job(number: int) -> Job:
    return Job(number, ScanSource((Path(f"{number}.dcm"),), Path(str(number))), Result(Path("out"), str(number)))


def test_scans_under_way_count_for_as_far_as_they_have_come() -> None:
    with redirect_stderr(Terminal()) as terminal, ScanProgress(4) as progress:
        progress.progressed(job(0), 0.0)
        assert terminal.shown() == "0.dcm   0"
        progress.progressed(job(0), 0.4)
        assert terminal.shown() == "0.dcm  10"
        # Another process is at the next one.
        progress.progressed(job(1), 0.6)
        assert terminal.shown() == "1.dcm  25"
        progress.ended(Outcome(0, "segmented"))
        assert terminal.shown() == "1.dcm  40"
        progress.ended(Outcome(1, "failed"))
        # Not even begun, since its result was there.
        progress.ended(Outcome(2, "kept"))
        assert terminal.shown() == "1.dcm  75"
        progress.ended(Outcome(3, "segmented"))
        assert terminal.shown() == "1.dcm 100"
    assert progress.ends == {"segmented": 2, "kept": 1, "failed": 1}


def test_the_bar_is_wiped_away_for_each_line_and_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    with redirect_stderr(Terminal()) as terminal, ScanProgress(2) as progress:
        progress.progressed(job(0), 0.5)
        progress.ended(Outcome(0, "segmented", ("warning: 0.dcm: dim",), "0.dcm -> 0.skeleton.tif"))
        assert "\rwarning: 0.dcm: dim\n" in terminal.getvalue()
        assert terminal.shown() == "0.dcm  50"
    assert terminal.shown() == ""
    assert capsys.readouterr().out == "0.dcm -> 0.skeleton.tif\n"


@pytest.mark.parametrize("scans", [0, 1])
def test_nothing_to_do_is_no_error(scans: int) -> None:
    with redirect_stderr(Terminal()) as terminal, ScanProgress(scans) as progress:
        progress.note("Nothing to do.")
    assert terminal.shown() == ""
    assert not progress.ends


def test_without_a_terminal_there_are_whole_lines_only(capsys: pytest.CaptureFixture[str]) -> None:
    with ScanProgress(3) as progress:
        progress.fail("error: a.dcm, b.dcm: would be written to one place", scans=2)
        progress.fail("error: c.dcm: is empty")
        for number in range(3):
            progress.note("CPU: no CUDA device found")
            progress.progressed(job(number), 0.5)
        progress.ended(Outcome(0, "segmented", ("warning: dim", "warning: small"), "0.dcm -> out"))
        progress.ended(Outcome(1, "kept", line="1.dcm: kept"))
        progress.ended(Outcome(2, "failed", ("error: 2.dcm: is cut off",)))
        progress.note("Another note")
    shown = capsys.readouterr()
    assert shown.out.splitlines() == ["CPU: no CUDA device found", "0.dcm -> out", "1.dcm: kept", "Another note"]
    assert shown.err.splitlines() == [
        "error: a.dcm, b.dcm: would be written to one place",
        "error: c.dcm: is empty",
        "warning: dim",
        "warning: small",
        "error: 2.dcm: is cut off",
    ]
    assert progress.ends == {"segmented": 1, "kept": 1, "failed": 4}


def test_the_bar_goes_when_the_run_is_interrupted() -> None:
    def interrupted() -> None:
        with ScanProgress(2) as progress:
            progress.progressed(job(0), 0.5)
            raise KeyboardInterrupt

    with redirect_stderr(Terminal()) as terminal, pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "0.dcm  25%" in terminal.getvalue()
    assert terminal.shown() == ""
