"""The processes that make examples: what they give, and that neither Ctrl-C nor a killed training troubles anyone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
import pytest
import torch

from napari_bonescint.training.data.batches import Batches
from napari_bonescint.training.data.loader import load
from napari_bonescint.training.data.sources import SimulatedCaseFiles

if TYPE_CHECKING:
    from pathlib import Path

KILLED = """
import os, signal, sys, threading, time
import psutil
from pathlib import Path
from napari_bonescint.training.data.batches import Batches
from napari_bonescint.training.data.sources import SimulatedCaseFiles
from napari_bonescint.training.data.loader import load

def end():
    print("the last word", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

def end_with_first_loader():
    while not any("spawn_main" in " ".join(child.cmdline()) for child in psutil.Process().children()):
        time.sleep(0.001)
    end()

if __name__ == "__main__":
    batches = Batches(SimulatedCaseFiles([Path(sys.argv[1])]), 17, 8.0, (64, 32), 2, 1)
    if sys.argv[2] == "as the first loader starts":
        threading.Thread(target=end_with_first_loader).start()
    loaded = load(batches, range(1000), 2)
    if sys.argv[2] == "as they have started":
        end()
    next(loaded)
    end()
"""


@pytest.fixture
def batches(cases: list[Path]) -> Batches:
    return Batches(SimulatedCaseFiles(cases), 17, 8.0, (64, 32), 2, 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_come_in_the_order_of_their_steps(batches: Batches, workers: int) -> None:
    steps = range(3, 8)
    loaded = list(load(batches, steps, workers))
    assert len(loaded) == len(steps)
    for step, batch in zip(steps, loaded, strict=True):
        assert torch.equal(batch.images, batches[step].images)
        assert torch.equal(batch.codes, batches[step].codes)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole groups of processes only")
def test_ctrl_c_does_not_reach_those_who_make_examples(batches: Batches) -> None:
    loaded = threading.Event()

    def interrupt_children() -> None:
        while not loaded.wait(0.005):
            for child in psutil.Process().children():
                with suppress(psutil.NoSuchProcess):
                    child.send_signal(signal.SIGINT)

    # From their first moment on, as when the key is pressed while they start.
    thread = threading.Thread(target=interrupt_children)
    thread.start()
    try:
        assert len(list(load(batches, range(3), 1))) == 3
    finally:
        loaded.set()
        thread.join()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("when", ["as the first loader starts", "as they have started", "as they work"])
def test_a_killed_training_leaves_neither_processes_nor_words(cases: list[Path], tmp_path: Path, when: str) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    # Read until the last process that could write has ended.
    command = [sys.executable, script, cases[0], when]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "the last word\n")
    # Python itself complains where it has read no more than half of what a loader is to do.
    if when != "as the first loader starts":
        assert done.stderr == ""
