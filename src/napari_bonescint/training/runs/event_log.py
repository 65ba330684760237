"""What a training says while it runs: JSON lines in a file that others follow."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from napari_bonescint.atomic import CannotWrite

if TYPE_CHECKING:
    from pathlib import Path

Event = dict[str, Any]
"""One line: ``event`` (its kind), ``time`` (seconds since 1970), and what the kind tells besides."""


class TrainingLog:
    """A log that is only ever added to, one event a line; a line that a killed training left half-written is ended.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, event: str, **facts: object) -> None:
        """Add an event; when this returns, readers see it.

        Parameters
        ----------
        event : str
            Its kind, such as ``progress``.
        **facts
            What JSON can hold.

        Raises
        ------
        CannotWrite
            If the disk is full or the folder gone.
        """
        line = json.dumps({"event": event, "time": time.time(), **facts}, ensure_ascii=False) + "\n"
        try:
            with self._path.open("a+b") as file:
                if file.tell() and not self._ends_whole():
                    line = "\n" + line
                file.write(line.encode())
        except OSError as error:
            raise CannotWrite(f"{self._path}: could not be written ({error.strerror or error}).") from error

    def _ends_whole(self) -> bool:
        with self._path.open("rb") as file:
            file.seek(-1, 2)
            return file.read(1) == b"\n"


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """The events that were added to a log since it was last read.

    Parameters
    ----------
    path : Path
        The log; one that is not there yet holds nothing.
    offset : int
        Where the last reading ended; 0 at first.

    Returns
    -------
    list of dict
        Whole lines only; one that is no event, such as the half that a killed training left, is left out.
    int
        Where to go on reading.

    Raises
    ------
    OSError
        If the file is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    whole, newline, _ = content.rpartition(b"\n")
    events = [event for line in whole.split(b"\n") if (event := _event(line)) is not None]
    return events, offset + len(whole) + len(newline)


def _event(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and "event" in event else None
