"""Starting a training in a process of its own, which outlives the one that started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

from napari_bonescint.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.facts import FactError, build, one_sentence, read_json
from napari_bonescint.resources import shipped_folder
from napari_bonescint.text import duration
from napari_bonescint.training.runs.run_control import OUTPUT, RUNNING, SETTINGS, Request, ask
from napari_bonescint.training.runs.run_folder import lock_of, running_process, take

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

_NICENESS = 5


class CannotLaunch(BonescintError):
    """A training that could not be started."""


@dataclass(frozen=True)
class Plan:
    """A recipe as a person chooses it.

    Attributes
    ----------
    title : str
        A few words.
    recipe : str
        Path of the recipe's file.
    minutes : float
        How long it may take at most.
    """

    title: str
    recipe: str
    minutes: float


_DAY = 24 * 60.0


def shipped_plans() -> list[Plan]:
    """The recipes for retraining that come with the plugin."""
    folder = shipped_folder("train") / "recipes"
    return [
        Plan("quick: 10 minutes", str(folder / "quick.toml"), 10),
        Plan("full", str(folder / "full.toml"), _DAY),
    ]


def plan_of_file(path: Path) -> Plan:
    """The recipe of a file, which takes as long as it takes."""
    return Plan(path.stem, str(path), _DAY)


@dataclass(frozen=True)
class RunSettings:
    """What a run was started with, so that it can be gone on with.

    Attributes
    ----------
    plan : Plan
        Recipe and time.
    stores : tuple of str
        Folders of label stores.
    start : str
        Name or weights file of the model to begin with.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    folds : int
        How many times more to train, each without a part of the patients, who are few; 0 for none.
    """

    plan: Plan
    stores: tuple[str, ...]
    start: str
    device: str
    folds: int = 0

    def arguments(self, run: Path) -> list[str]:
        """What follows ``bonescint`` on the command line that trains in the folder `run`."""
        return [
            "train",
            self.plan.recipe,
            *("--name", run.name),
            *("--runs", str(run.parent)),
            *("--store", *self.stores),
            *("--start", self.start),
            *("--device", self.device),
            *("--minutes", f"{self.plan.minutes:g}"),
            *(("--folds", str(self.folds)) if self.folds else ()),
        ]


def name_of_run(plan: Plan, now: datetime) -> str:
    """What a run, and the model that comes out of it, is called."""
    kind = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in plan.title.partition(":")[0])
    return f"{kind.strip('-') or 'retrained'}-{now:%Y-%m-%d-%H%M%S}"


def read_settings(run: Path) -> RunSettings:
    """What a run was started with.

    Raises
    ------
    CannotLaunch
        If its folder does not say so.
    """
    with one_sentence(
        lambda reason: CannotLaunch(f"{run / SETTINGS}: does not say how this run was started ({reason}).")
    ):
        settings = build(RunSettings, read_json(run / SETTINGS))
        for text in (settings.plan.recipe, settings.start, settings.device, *settings.stores):
            if not text or text.startswith("-"):
                # The command would take it for an option.
                raise FactError(f"{text[:40]!a} is no file and no name")
        return settings


def launch(settings: RunSettings, run: Path) -> int:
    """Train in a folder that is new, or go on with a run that was interrupted.

    Parameters
    ----------
    settings : RunSettings
        What to train.
    run : Path
        The run's folder.

    Returns
    -------
    int
        Number of the process.

    Raises
    ------
    CannotLaunch
        If the run is being trained already, or no process can be started.
    CannotWrite
        If the folder cannot be written to.
    """
    make_folder(run)
    lock = lock_of(run)
    try:
        if not take(lock) or running_process(run) is not None:
            raise CannotLaunch(f"{run.name} is being trained already.")
        return _launch(settings, run)
    except OSError as error:
        raise CannotWrite(f"{run}: cannot be written ({error.strerror or error}).") from error
    finally:
        lock.release()


def _launch(settings: RunSettings, run: Path) -> int:
    # What was asked of the process that is no more is not meant for this one.
    ask(run, Request.GO_ON)
    if not (run / SETTINGS).exists():
        write_bytes_atomically(run / SETTINGS, json.dumps(asdict(settings), indent=2).encode())
    pid = start_detached([sys.executable, "-m", "napari_bonescint", *settings.arguments(run)], run / OUTPUT)
    # The process says so itself, too, but only after the seconds that it takes to import PyTorch.
    with suppress(psutil.Error):  # it has ended already, and its output says why
        claim = {"pid": pid, "started": psutil.Process(pid).create_time()}
        write_bytes_atomically(run / RUNNING, json.dumps(claim).encode())
    return pid


def start_detached(command: Sequence[str], output: Path) -> int:
    """Start a process that goes on when this one ends, and leaves it the processor where both want it.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    output : Path
        File that gets what it prints.

    Returns
    -------
    int
        Number of the process.

    Raises
    ------
    CannotLaunch
        If it cannot be started.
    """
    # Ctrl+C in the terminal of napari, and its closing, are not meant for the training.
    windows = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    try:
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=windows,
                env=environment,
            )
    except OSError as error:
        raise CannotLaunch(f"The training could not be started: {error}.") from error
    with suppress(psutil.Error):
        child = psutil.Process(process.pid)
        if sys.platform == "win32":
            child.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            child.nice(_NICENESS)
    # Somebody must wait for it, or it would stay in the table of processes when it has ended.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def estimate(plan: Plan, steps: int, seconds_per_step: float, trainings: int = 1) -> str:
    """How long a plan takes, in words.

    Parameters
    ----------
    plan : Plan
        What may end it before its last step.
    steps : int
        Of the recipe.
    seconds_per_step : float
        On the device, see `step_time`.
    trainings : int
        How many there are, equally long.
    """
    if trainings > 1:
        return f"{trainings} trainings, each {estimate(plan, steps, seconds_per_step)}"
    minutes = steps * seconds_per_step / 60
    if minutes <= plan.minutes:
        return f"about {duration(60 * minutes)}"
    return f"{duration(60 * plan.minutes)}, in which some {100 * plan.minutes / minutes:.0f} % of its steps are made"
