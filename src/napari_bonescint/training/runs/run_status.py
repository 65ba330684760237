"""The status of a training run, read from its log."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from napari_bonescint.files.names import inside
from napari_bonescint.text.formatting import counted
from napari_bonescint.training.runs.event_log import read_events
from napari_bonescint.training.runs.run_control import LOG, OUTPUT
from napari_bonescint.training.runs.run_folder import running_process

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from napari_bonescint.training.runs.event_log import Event

_SPEAKER = re.compile(r"^bonescint[a-z ]*: (error: )?")

Points = tuple[tuple[float, float], ...]


class Stage(Enum):
    """The stage of a run."""

    TRAINING = "training"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    FINISHED = "finished"

    @property
    def is_alive(self) -> bool:
        """True if a process is training."""
        return self in (Stage.TRAINING, Stage.PAUSED)


@dataclass(frozen=True)
class RunStatus:
    """The status of a run.

    Attributes
    ----------
    step, steps : int
        Steps done, and steps in all; 0 before the first report.
    losses : tuple of (float, float)
        Step and training loss.
    dices : tuple of (float, float)
        Step and Dice on the validation scans.
    check_losses : tuple of (float, float)
        Step and loss on the validation scans.
    regions : dict of str to tuple of (float, float)
        Step and Dice on the validation scans, for the skeleton and each region by name.
    samples : tuple of (int, Path)
        Step and picture.
    seconds_left : float or None
        Remaining time; None before the first report.
    data : str
        A sentence about the training data; empty before it is known.
    left_out : tuple of (str, str)
        Cases that were left out, with the reason.
    notes : tuple of str
        Notes of the run.
    paused : bool
        True while the run is paused.
    fold, folds : int
        Number of the present fold of a cross-validation, and number of folds; 0 outside of it.
    failure : str
        Reason of a failure; otherwise empty.
    weights : Path or None
        The exported weights; None until the run has finished.
    outcome : str
        Reason why a finished run has no weights; otherwise empty.
    weights_step : int
        Step of the exported weights: the last, or the best on the validation scans.
    """

    step: int = 0
    steps: int = 0
    losses: Points = ()
    dices: Points = ()
    check_losses: Points = ()
    regions: Mapping[str, Points] = field(default_factory=dict)
    samples: tuple[tuple[int, Path], ...] = ()
    seconds_left: float | None = None
    data: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    paused: bool = False
    fold: int = 0
    folds: int = 0
    failure: str = ""
    weights: Path | None = None
    outcome: str = ""
    weights_step: int = 0

    @property
    def best(self) -> float | None:
        """The highest Dice on the validation scans; None before the first check."""
        return max((dice for _, dice in self.dices), default=None)

    def after(self, events: list[Event], run: Path) -> RunStatus:
        """The status after further events, in the folder `run`; unknown or incomplete events change nothing."""
        run_status = self
        for event in events:
            # A log may come from another version, or be edited.
            with suppress(Exception):
                run_status = run_status._after_one(event, run)
        return run_status

    def _after_one(self, event: Event, run: Path) -> RunStatus:
        match event["event"]:
            case "data":
                left_out = tuple((str(case["case"]), str(case["why"])) for case in event["left_out"])
                # This is the first event after each start of the process.
                begun = replace(self, paused=False, failure="", weights=None, outcome="", fold=0)
                return replace(begun, data=describe_data(event), left_out=left_out)
            case "progress":
                step = int(event["step"])
                return replace(
                    self,
                    step=step,
                    steps=int(event["steps"]),
                    losses=_until(self.losses, step, float(event["loss"])),
                    seconds_left=float(event["seconds_left"]),
                )
            case "fold":
                begun = replace(self, paused=False, failure="", weights=None, outcome="")
                return replace(
                    begun,
                    fold=int(event["fold"]),
                    folds=int(event["folds"]),
                    step=int(event["step"]),
                    steps=int(event["steps"]),
                    seconds_left=float(event["seconds_left"]),
                )
            case "check":
                return self._after_check(event)
            case "sample":
                step, picture = int(event["step"]), inside(run, event["file"])
                return replace(self, samples=(*(each for each in self.samples if each[0] < step), (step, picture)))
            case "note":
                return replace(self, notes=(*self.notes, str(event["text"])))
            case "paused":
                return replace(self, paused=True)
            case "resumed":
                return replace(self, paused=False)
            case "failed":
                return replace(self, failure=str(event["text"]))
            case "finished":
                # The weights are in the run's folder, which may have been moved.
                name = re.split(r"[/\\]", str(event["weights"]))[-1]
                weights = inside(run, name) if name else None
                outcome = "" if weights else str(event["text"])
                return replace(self, weights=weights, outcome=outcome, weights_step=int(event["step"]))
        return self

    def _after_check(self, event: Event) -> RunStatus:
        step = int(event["step"])
        run_status = replace(self, dices=_until(self.dices, step, float(event["dice"])))
        # Logs of earlier versions end here.
        if "regions" not in event:
            return run_status
        regions = {
            name: _until(self.regions.get(name, ()), step, float(value)) for name, value in event["regions"].items()
        }
        losses = _until(self.check_losses, step, float(event["loss"]))
        return replace(run_status, check_losses=losses, regions={**self.regions, **regions})


class RunStatusReader:
    """Follows the log in a run's folder."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.run_status = RunStatus()
        self._offset = 0

    def read(self) -> tuple[Stage, RunStatus]:
        """The present stage and status of the run; reads only the events since the last call."""
        # In this order: if the run ends between the two, its log is complete.
        alive = running_process(self.run) is not None
        with suppress(OSError):  # a network folder may be unavailable for a moment; the next call reads the rest
            events, self._offset = read_events(self.run / LOG, self._offset)
            self.run_status = self.run_status.after(events, self.run)
        return self._stage(alive=alive), self.run_status

    def last_words(self) -> str:
        """The last line of the process's output, for an end without an event in the log; empty without output."""
        with suppress(OSError):
            lines = (self.run / OUTPUT).read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line.strip() for line in reversed(lines) if line.strip()), "")
            return _SPEAKER.sub("", last)
        return ""

    def _stage(self, *, alive: bool) -> Stage:
        if alive:
            return Stage.PAUSED if self.run_status.paused else Stage.TRAINING
        if self.run_status.weights is not None or self.run_status.outcome:
            return Stage.FINISHED
        return Stage.FAILED if self.run_status.failure else Stage.INTERRUPTED


def _until(points: Points, step: float, value: float) -> Points:
    """A curve with one more point; later points, from before a resumed checkpoint, are removed."""
    kept = points
    while kept and kept[-1][0] >= step:
        kept = kept[:-1]
    return (*kept, (step, value))


def describe_data(event: Event) -> str:
    """The training data of a run in one sentence, from its event ``data``."""
    learnt = f"{_of_patients(event['cases'], event['patients'])} to learn from"
    held_out = f"{_of_patients(event['held_out_cases'], event['held_out_patients'])} held out"
    # In earlier versions, held-out patients were used for validation, too.
    if "validation_cases" not in event:
        return f"{learnt}, {held_out}."
    validating = f"{_of_patients(event['validation_cases'], event['validation_patients'])} to validate on"
    return f"{learnt}, {validating}, {held_out} to judge on."


def _of_patients(scans: object, patients: object) -> str:
    return f"{counted(int(str(scans)), 'scan')} of {counted(int(str(patients)), 'patient')}"
