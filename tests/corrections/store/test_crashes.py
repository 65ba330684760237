"""A process that is killed while it saves, keeps a draft, predicts or imports loses nothing that it had finished."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "store_crashes.py"


@pytest.mark.skipif(os.name == "nt", reason="a process takes seconds to start where there is no fork")
def test_twenty_kills_lose_nothing() -> None:
    ended = subprocess.run([sys.executable, BENCHMARK, "--kills", "20"], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[2].endswith(" 0 losses")
