"""Several processes of one computer that train together; test_train_script.py has a whole training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TOGETHER = """
import os, signal, sys, threading, time
import psutil, torch
from napari_bonescint.training.loop.fabric import start_fabric

def end_with_the_others_start():
    while not psutil.Process().children():
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "killed" and "LOCAL_RANK" not in os.environ:
    threading.Thread(target=end_with_the_others_start).start()
fabric = start_fabric("cpu", 2)
total = torch.tensor([fabric.global_rank + 1.0])
torch.distributed.all_reduce(total)
print(f"{fabric.global_rank} of {fabric.world_size}: {total.item()}\\n", end="", flush=True)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "together.py"
    path.write_text(TOGETHER)
    return path


def test_they_find_each_other_and_leave_nothing(script: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "TEMP": str(temporary), "GLOO_SOCKET_IFNAME": "none"}
    command = [sys.executable, script, "whole"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300)
    assert sorted(done.stdout.splitlines()) == ["0 of 2: 3.0", "1 of 2: 3.0"]
    assert list(temporary.glob("bonescint*")) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_the_others_end_with_the_first_before_they_have_found_it(script: Path) -> None:
    # Read until the last process that could write has ended.
    command = [sys.executable, script, "killed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")
