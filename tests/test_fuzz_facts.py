"""Changed cards, recipes, tables, results and label stores end in a sentence, if not as what they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "fuzz_facts.py"


def test_changed_files_of_facts_end_in_no_more_than_a_sentence() -> None:
    words = [sys.executable, BENCHMARK, "--inputs", "250", "--first", "1000000"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
    assert ended.stdout.splitlines()[-1] == "0 faults"
