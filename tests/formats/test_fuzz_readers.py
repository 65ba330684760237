"""Damaged files of every format end as a scan, a mask or a sentence, in bounded time and memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "fuzz_readers.py"


def test_damaged_files_neither_end_nor_stop_nor_bloat_the_process_that_reads_them() -> None:
    words = [sys.executable, BENCHMARK, "--inputs", "150", "--first", "1000000"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert ended.stdout.splitlines()[0].startswith("150 inputs of ")
    assert ended.stdout.splitlines()[-1] == "0 faults"
