"""Start a training in a separate process, which continues when the starting process ends."""

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

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite, make_folder, write_bytes_atomically
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.files.lock import take
from napari_bonescint.resources import shipped_folder
from napari_bonescint.text.formatting import duration
from napari_bonescint.training.runs.run_control import OUTPUT, RUNNING, SETTINGS, Request, ask
from napari_bonescint.training.runs.run_folder import lock_of, running_process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

_NICENESS = 5


class CannotLaunch(BonescintError):
    """A training that could not be started."""


@dataclass(frozen=True)
class Plan:
    """A recipe in the user's list, with a time limit.

    Attributes
    ----------
    title : str
        A few words.
    recipe : str
        Path of the recipe's file.
    minutes : float
        Time limit.
    """

    title: str
    recipe: str
    minutes: float


_DAY = 24 * 60.0


def shipped_plans() -> list[Plan]:
    """The recipes for retraining that are part of the plugin."""
    folder = shipped_folder("train") / "recipes"
    return [
        Plan("quick: 10 minutes", str(folder / "quick.toml"), 10),
        Plan("full", str(folder / "full.toml"), _DAY),
    ]


def plan_of_file(path: Path) -> Plan:
    """The recipe in a file, with a time limit of one day."""
    return Plan(path.stem, str(path), _DAY)


@dataclass(frozen=True)
class RunSettings:
    """The settings that a run was started with, for resuming it.

    Attributes
    ----------
    plan : Plan
        Recipe and time limit.
    stores : tuple of str
        Folders of label stores.
    start : str
        Name or weights file of the model to start from.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    folds : int
        Number of folds of a cross-validation; 0 for none.
    """

    plan: Plan
    stores: tuple[str, ...]
    start: str
    device: str
    folds: int = 0

    def arguments(self, run: Path) -> list[str]:
        """Arguments of the command ``bonescint`` that trains in the folder `run`."""
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
    """The name of a run and of its model, from the title and the time."""
    kind = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in plan.title.partition(":")[0])
    return f"{kind.strip('-') or 'retrained'}-{now:%Y-%m-%d-%H%M%S}"


def read_settings(run: Path) -> RunSettings:
    """Read the settings of a run.

    Raises
    ------
    CannotLaunch
        If they are missing or unreadable.
    """
    with one_sentence(lambda reason: CannotLaunch(f"{run / SETTINGS}: has no readable settings ({reason}).")):
        settings = build(RunSettings, read_json(run / SETTINGS))
        for text in (settings.plan.recipe, settings.start, settings.device, *settings.stores):
            if not text or text.startswith("-"):
                # The command would read it as an option.
                raise FactError(f"{text[:40]!a} is not a file or a name")
        return settings


def launch(settings: RunSettings, run: Path) -> int:
    """Start a training in a new folder `run`, or resume an interrupted one; return the process number.

    Raises
    ------
    CannotLaunch
        If a process trains in the folder already, or no process can be started.
    CannotWrite
        If the folder is not writable.
    """
    make_folder(run)
    lock = lock_of(run)
    try:
        if not take(lock) or running_process(run) is not None:
            raise CannotLaunch(f"The training {run.name} is running already.")
        return _launch(settings, run)
    except OSError as error:
        raise CannotWrite(f"{run}: cannot be written ({error.strerror or error}).") from error
    finally:
        lock.release()


def _launch(settings: RunSettings, run: Path) -> int:
    # A request to the previous process does not apply to this one.
    ask(run, Request.GO_ON)
    if not (run / SETTINGS).exists():
        write_bytes_atomically(run / SETTINGS, json.dumps(asdict(settings), indent=2).encode())
    pid = start_detached([sys.executable, "-m", "napari_bonescint", *settings.arguments(run)], run / OUTPUT)
    # The process writes the same file, but only after importing PyTorch, which takes seconds.
    with suppress(psutil.Error):  # it has ended already; its output has the reason
        claim = {"pid": pid, "started": psutil.Process(pid).create_time()}
        write_bytes_atomically(run / RUNNING, json.dumps(claim).encode())
    return pid


def start_detached(command: Sequence[str], output: Path) -> int:
    """Start a process of lower priority that continues when this one ends; return the process number.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    output : Path
        File for its output.

    Raises
    ------
    CannotLaunch
        If it cannot be started.
    """
    # Ctrl+C in napari's terminal, or closing it, must not end the training.
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
    # Without a thread that waits for it, the ended process would stay in the process table.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def estimate(plan: Plan, steps: int, seconds_per_step: float, trainings: int = 1) -> str:
    """Describe the duration of a plan in words.

    Parameters
    ----------
    plan : Plan
        Its time limit may end the training before the last step.
    steps : int
        Steps of the recipe.
    seconds_per_step : float
        Time on the device, see `step_time`.
    trainings : int
        Number of equal trainings.
    """
    if trainings > 1:
        return f"{trainings} trainings, each {estimate(plan, steps, seconds_per_step)}"
    minutes = steps * seconds_per_step / 60
    if minutes <= plan.minutes:
        return f"about {duration(60 * minutes)}"
    return f"{duration(60 * plan.minutes)}, enough for about {100 * plan.minutes / minutes:.0f} % of its steps"
