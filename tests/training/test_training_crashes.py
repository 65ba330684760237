"""A training that is killed and gone on with ends as one that ran through, and damages nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "training_crashes.py"


@pytest.mark.skipif(os.name == "nt", reason="a process takes seconds to start where there is no fork")
def test_three_kills_change_nothing() -> None:
    ended = subprocess.run([sys.executable, BENCHMARK, "--kills", "3"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[2] == "0 faults"
