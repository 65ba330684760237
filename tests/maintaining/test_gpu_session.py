"""The session in a tree of its own, with small networks on the CPU."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from gpu_session import Part, benchmark, describe, gpu_tests, parse, run, training
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.simulation.case import Case

_RECIPE = """
name = "tiny"
description = "For tests"
architecture = "fdn-5"
outputs = 1
grid_mm = 8.0
rows = 64
columns = 32
batch = 2
keep_phases = [4]
start = []
learning_rate = 0.003
warm_up = 2
steps = 4
dice_weight = 0.5
average = 0.9
seed = 1
"""


@pytest.fixture
def tree(tmp_path: Path, case: Case) -> Path:
    """A checkout with the scripts of the training, two networks of which one cannot start, and cases."""
    train = tmp_path / "train"
    (train / "recipes").mkdir(parents=True)
    (train / "maintaining").mkdir()
    for name in ("schedule.py", "maintaining/gpu_session.py"):
        shutil.copy(shipped_folder("train") / name, train / name)
    (train / "schedule.toml").write_text(
        'order = ["lost", "tiny"]\n[finished]\nrise = 2.0\nsteps = 100\n', encoding="utf-8"
    )
    (train / "state").mkdir()
    (train / "state" / "trained-before.cycles.json").write_text('{"cycles": []}', encoding="utf-8")
    (train / "recipes" / "tiny.toml").write_text(_RECIPE, encoding="utf-8")
    for folder, seed in (("cases", 1), ("held-out", 99)):
        (tmp_path / folder).mkdir()
        case.save_packed(tmp_path / folder / f"case_{seed:06d}.npz")
    return tmp_path


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_is_trained_outlives_a_session_that_is_ended(tree: Path) -> None:
    command: list[object] = [tree / "train" / "maintaining" / "gpu_session.py", "--minutes", 5, "--each", 0.1]
    command += ["--cases", "cases", "--held-out", "held-out", "--out", "out", "--device", "cpu", "--workers", 0]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, *map(str, command)], cwd=tree, env=environment)
    archive = tree / "out" / "trained.tar"
    while not archive.exists() and process.poll() is None:
        time.sleep(0.1)
    # The session goes on with the next cycle after the first is archived.
    assert process.poll() is None
    processes = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    assert process.wait() == 1
    assert processes
    assert not any(map(is_alive, processes))
    with tarfile.open(archive) as file:
        names = set(file.getnames())
    assert {f"train/state/tiny{end}" for end in (".safetensors", ".json", ".cycles.json")} <= names
    assert "train/SCHEDULE.md" in names
    assert not any("trained-before" in name for name in names)
    assert any(name.endswith("tiny/log.jsonl") for name in names)
    # The network without a recipe did not end the training of the other.
    assert "lost: is left out: " in (tree / "out" / "training.txt").read_text(encoding="utf-8")


def test_a_part_ends_at_its_limit_with_all_that_it_started(tmp_path: Path) -> None:
    endless = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    part = Part("endless", [sys.executable, "-c", f"{endless}; time.sleep(60)"], 2)
    before = set(psutil.Process().children(recursive=True))
    children: set[psutil.Process] = set()

    def look() -> None:
        children.update(set(psutil.Process().children(recursive=True)) - before)

    outcome = run(part, tmp_path, dict(os.environ), look)
    assert outcome.stopped
    assert outcome.status != 0
    assert 2 <= outcome.seconds < 30
    assert len(children) == 2
    assert not any(map(is_alive, children))
    assert describe(outcome).startswith("stopped at its time limit after ")
    fine = run(Part("fine", [sys.executable, "-c", "print(1)"], 60), tmp_path, dict(os.environ), look)
    assert (fine.status, fine.stopped) == (0, False)
    assert (tmp_path / "fine.txt").read_text(encoding="utf-8").strip() == "1"


def test_the_tests_and_the_benchmark_take_a_fixed_share(tmp_path: Path) -> None:
    arguments = parse(["--cases", "a", "--held-out", "b", "--out", "c", "--minutes", "10"])
    parts = [make(arguments, 500.0, tmp_path) for make in (gpu_tests, benchmark, training)]
    assert [part.seconds for part in parts if part] == [90, 90, 500]
    tests = parts[0]
    assert tests is not None
    assert any(word.endswith("test_torch_gpu_engine.py") for word in tests.command)
    assert arguments.parts == ["tests", "benchmark", "training"]
    on_cpu = parse(["--cases", "a", "--held-out", "b", "--out", "c", "--device", "cpu"])
    assert gpu_tests(on_cpu, 500.0, tmp_path) is None
    assert benchmark(on_cpu, 500.0, tmp_path) is None
