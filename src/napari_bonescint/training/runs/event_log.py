"""The event log of a training: JSON lines in a file, which other processes follow."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.training.loop.listener import TrainingListener

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.listener import FinishedTraining, StepPlan, TrainingProgress
    from napari_bonescint.training.loop.validation import ValidationScores

Event = dict[str, Any]
"""One line: ``event`` (its kind), ``time`` (seconds since 1970), and further entries for each kind."""


class TrainingLog:
    """An append-only log with one event a line; an incomplete line of a killed training is closed first.

    Parameters
    ----------
    path : Path
        The file; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, event: str, **facts: object) -> None:
        """Add an event of a kind, such as ``progress``, with entries for JSON; readers see it at once.

        Raises
        ------
        CannotWrite
            If the disk is full or the folder missing.
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


class EventLog(TrainingListener):
    """Writes the events of a training to a log; `checkpoint` is the file to resume from after a failure."""

    def __init__(self, log: TrainingLog, material: TrainingData, checkpoint: Path) -> None:
        self._tell, self._material, self._checkpoint = log.append, material, checkpoint

    def on_fit_start(self, step: int, models: Sequence[Mapping[str, Any]], *, resumed: bool) -> None:  # noqa: ARG002
        """Write a summary of the training data."""
        self._tell("data", **self._material.summary())

    def on_note(self, sentence: str) -> None:
        """Write the note."""
        self._tell("note", text=sentence)

    def on_plan(self, plan: StepPlan) -> None:
        """Write the number of steps."""
        seconds = round(plan.seconds_per_step, 4)
        self._tell("plan", steps=plan.steps, minutes=plan.minutes, seconds_per_step=seconds)

    def on_pause(self, step: int) -> None:  # noqa: ARG002
        """Write the pause."""
        self._tell("paused")

    def on_resume(self, step: int) -> None:
        """Write the step."""
        self._tell("resumed", step=step)

    def on_train_epoch_end(self, progress: TrainingProgress) -> None:
        """Write the progress."""
        self._tell("progress", **asdict(progress))

    def on_validation_end(self, step: int, scores: ValidationScores, picture: Path, *, is_best: bool) -> None:
        """Write the scores, and the picture's path in the run's folder."""
        self._tell(
            "check",
            step=step,
            dice=scores.dice.mean,
            spread=scores.dice.spread,
            loss=scores.loss,
            regions=scores.regions,
            scans=scores.scans,
            best=is_best,
        )
        self._tell("sample", step=step, file=f"{picture.parent.name}/{picture.name}")

    def on_export_end(self, finished: FinishedTraining, card: ModelCard | None, reason: str) -> None:
        """Write the paths of weights and card, or the reason why there are none."""
        files = {"weights": "", "card": "", "text": reason}
        if card is not None:
            files = {"weights": str(card.weights_path), "card": str(card.path)}
        self._tell("finished", step=finished.step, stopped=finished.stopped, **files)

    def on_exception(self, error: Exception) -> None:
        """Write the reason, and the checkpoint to resume from."""
        last = f" The last good state is kept in {self._checkpoint.name}." if self._checkpoint.exists() else ""
        self._tell("failed", text=f"{error}{last}")


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """Read the events that were added to a log since the last call.

    Parameters
    ----------
    path : Path
        The log; a missing file has no events.
    offset : int
        The position returned by the last call; 0 at first.

    Returns
    -------
    list of dict
        Events of complete lines; lines without an event, such as those of a killed training, are ignored.
    int
        Position for the next call.

    Raises
    ------
    OSError
        If the file exists and cannot be read.
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
