"""Folders of runs as a training writes them."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import psutil
from PIL import Image

from napari_bonescint.training.runs.event_log import TrainingLog

if TYPE_CHECKING:
    from pathlib import Path

FAR = 100_000
SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def begin(run: Path, cases: int = 4) -> TrainingLog:
    """A run that has said what it learns from."""
    run.mkdir(parents=True, exist_ok=True)
    log = TrainingLog(run / "log.jsonl")
    left_out = [{"case": "00ff", "why": "No revision is reviewed."}]
    log.append(
        "data",
        used=[],
        cases=cases,
        patients=2,
        validation_cases=2,
        validation_patients=1,
        held_out_cases=1,
        held_out_patients=1,
        left_out=left_out,
        sha256="0" * 64,
    )
    return log


def progress(log: TrainingLog, step: int, loss: float, steps: int = 40) -> None:
    log.append(
        "progress",
        step=step,
        steps=steps,
        loss=loss,
        learning_rate=0.001,
        views_per_second=2.0,
        seconds_left=60.0 * (steps - step),
    )


def check(log: TrainingLog, run: Path, step: int, dice: float) -> Path:
    """A scoring of the validation scans, with a picture."""
    log.append("check", step=step, dice=dice, spread=0.1, scans=1, best=True)
    path = run / f"samples/{step:06}.png"
    path.parent.mkdir(exist_ok=True)
    Image.new("RGB", (60, 40), (step % 256, 0, 0)).save(path)
    log.append("sample", step=step, file=f"samples/{step:06}.png")
    return path


def occupy(run: Path, pid: int) -> None:
    """Say that a process trains there."""
    started = psutil.Process(pid).create_time()
    (run / "running.json").write_text(json.dumps({"pid": pid, "started": started}))


def settle(condition: object, seconds: float = 120) -> None:
    """Wait for another process."""
    until = time.monotonic() + seconds
    assert callable(condition)
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
