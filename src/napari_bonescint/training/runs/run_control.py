"""List training runs, and send requests to them from other processes."""

from __future__ import annotations

import os
from contextlib import suppress
from enum import Enum
from pathlib import Path

from platformdirs import user_data_path

from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically

LOG = "log.jsonl"
RUNNING = "running.json"
REQUEST = "request"
OUTPUT = "output.txt"
SETTINGS = "settings.json"


class Request(Enum):
    """A request to a run, carried out before its next step."""

    PAUSE = "pause"
    STOP = "stop"
    GO_ON = ""


def runs_folder() -> Path:
    """The panel's folder of runs: in the user's data folder, or given by ``BONESCINT_RUNS``."""
    chosen = os.environ.get("BONESCINT_RUNS")
    return Path(chosen) if chosen else user_data_path("napari-bonescint", appauthor=False) / "runs"


def runs_in(folder: Path) -> list[Path]:
    """The runs in a folder, the newest first."""
    with suppress(FileNotFoundError, NotADirectoryError):
        # The settings of a run are written once, at its start.
        begun = {path.parent: path.stat().st_mtime for path in folder.glob(f"*/{SETTINGS}")}
        return sorted(begun, key=begun.__getitem__, reverse=True)
    return []


def ask(run: Path, request: Request) -> None:
    """Send a request to a run.

    Raises
    ------
    CannotWrite
        If the folder cannot be written to.
    """
    if request is not Request.GO_ON:
        write_bytes_atomically(run / REQUEST, request.value.encode())
        return
    try:
        (run / REQUEST).unlink(missing_ok=True)
    except OSError as error:
        raise CannotWrite(f"{run / REQUEST}: could not be removed ({error.strerror}).") from error
