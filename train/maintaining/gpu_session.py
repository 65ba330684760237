#!/usr/bin/env python3
r"""Use a GPU that is lent for some minutes: run the GPU tests and the benchmark, and train networks in turns.

    python train/maintaining/gpu_session.py --cases packed/training --held-out packed/validation --minutes 9 --out out
    tar -xf out/trained.tar        # at home, in the root of the checkout

The parts run one after the other, each with its own time limit: tests and benchmark at most 15 % of the minutes each,
`train/schedule.py` the time that is left. `--parts training` leaves out the others, as the CPU does. A part that fails
or is stopped does not end the others.

The folder `--out` gets the output of each part, `session.json` with their durations and exit statuses, and
`trained.tar`. The archive holds what the session added to `train/state` (weights in float16, cards and cycles),
`train/SCHEDULE.md` and the logs of the trainings. It is written again after each cycle, so a computer that is switched
off loses only the cycle in progress.

The computer needs no network. Pack the cases at home (`pack_cases.py`). Bring along the wheels of packages that it
lacks. Training imports pydicom, platformdirs, pydantic, nibabel, tomli-w and lightning-fabric beside PyTorch, NumPy,
SciPy, Pillow, scikit-image, tifffile, safetensors, psutil, filelock and tqdm. The package itself need not be
installed. At home, with the other computer's Python and system:

    pip download --only-binary=:all: --no-deps --python-version 3.12 --platform manylinux_2_28_x86_64 \
        --platform manylinux2014_x86_64 --dest wheels NAME==VERSION ...

and there:

    pip install --no-index --no-deps --target site wheels/*.whl
    export PYTHONPATH=$PWD/site
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
ARCHIVE = "trained.tar"
_CYCLES = ".cycles.json"
_SHARE = 0.15
# Of the time: for scores and archive of the last cycle, if it takes longer than those before.
_RESERVE = 0.05
_POLL_S, _TABLE_S = 1.0, 20.0


@dataclass(frozen=True)
class Part:
    """A part of the session: its command, and its time limit in seconds."""

    name: str
    command: list[str]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """The end of a part: exit status (negative: the signal that ended it) and duration in seconds."""

    part: str
    status: int
    seconds: float
    stopped: bool


def main() -> int:
    """Run all parts; returns 0 if none failed."""
    arguments = parse()
    arguments.out.mkdir(parents=True, exist_ok=True)
    # A part in progress is ended, and what is there is archived.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as scratch:
        outcomes = run_parts(arguments, Path(scratch))
    return int(any(outcome.status for outcome in outcomes))


def run_parts(arguments: argparse.Namespace, scratch: Path) -> list[Outcome]:
    """Run the parts one after the other; however they end, archive what was trained."""
    end = time.monotonic() + 60 * arguments.minutes
    environment = find_package(scratch)
    trained = Trained(arguments.out / ARCHIVE, arguments.runs)
    outcomes: list[Outcome] = []
    try:
        for name in arguments.parts:
            part = _PARTS[name](arguments, end - time.monotonic(), scratch)
            if part is not None:
                outcomes.append(run(part, arguments.out, environment, trained.archive_if_new))
                print(f"{part.name}: {describe(outcomes[-1])}", flush=True)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # A cycle may have been exported just before the training was stopped.
        table = _part("table", [ROOT / "train" / "schedule.py", "--table", "--runs", arguments.runs], _TABLE_S)
        run(table, arguments.out, environment, lambda: None)
        trained.archive()
        summary = json.dumps([asdict(outcome) for outcome in outcomes], indent=1)
        (arguments.out / "session.json").write_text(summary, encoding="utf-8")
    return outcomes


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, required=True, help="folder of the training split's cases")
    parser.add_argument("--held-out", type=Path, required=True, help="folder of the validation split's cases")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--minutes", type=float, default=9, help="end after this time (default: %(default)s)")
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS), help="(default: all)")
    parser.add_argument("--each", type=float, default=2, help="minutes of one network's turn (default: %(default)s)")
    parser.add_argument("--batch", type=int, help="views in a step, see train/schedule.py (default: the recipes')")
    parser.add_argument("--workers", type=int, metavar="N", help="processes that make examples, see `bonescint train`")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="train these networks alone")
    parser.add_argument("--device", default="cuda", help="(default: %(default)s)")
    runs = Path("runs") / time.strftime("session-%Y%m%d-%H%M%S")
    parser.add_argument("--runs", type=Path, default=runs, help="folder for the trainings (default: runs/session-TIME)")
    return parser.parse_args(words)


def gpu_tests(arguments: argparse.Namespace, left: float, scratch: Path) -> Part | None:
    """The tests that need a GPU, without the plugins of pytest that the other tests need."""
    files = [path for path in sorted(ROOT.glob("tests/**/test_*.py")) if "mark.gpu" in path.read_text(encoding="utf-8")]
    if arguments.device == "cpu" or not files:
        return None
    settings = scratch / "pytest.ini"
    folders = " ".join(str(ROOT / name) for name in ("tests", "benchmarks", "scripts", "train/maintaining"))
    markers = "gpu: needs a CUDA device\n    archive: needs an archive"
    settings.write_text(
        f"[pytest]\npythonpath = {folders}\naddopts = --import-mode=importlib -ra\nmarkers =\n    {markers}\n"
    )
    options = ["-c", settings, "--rootdir", ROOT, "-p", "no:cacheprovider", "-m", "gpu"]
    return _part("tests", ["-m", "pytest", *options, *files], min(left, _SHARE * 60 * arguments.minutes))


def benchmark(arguments: argparse.Namespace, left: float, scratch: Path) -> Part | None:  # noqa: ARG001
    """The speed of a network on the GPU."""
    if arguments.device == "cpu":
        return None
    return _part("benchmark", [ROOT / "benchmarks" / "gpu.py"], min(left, _SHARE * 60 * arguments.minutes))


def training(arguments: argparse.Namespace, left: float, scratch: Path) -> Part | None:  # noqa: ARG001
    """Training in turns; it ends in time by itself."""
    command = [ROOT / "train" / "schedule.py", "--cases", arguments.cases, "--held-out", arguments.held_out]
    command += ["--minutes", f"{left / 60 - _RESERVE * arguments.minutes:.2f}", "--each", arguments.each]
    command += ["--device", arguments.device, "--runs", arguments.runs]
    if arguments.workers is not None:
        command += ["--workers", arguments.workers]
    if arguments.batch:
        command += ["--batch", arguments.batch]
    if arguments.only:
        command += ["--only", *arguments.only]
    return _part("training", command, left)


_PARTS = {"tests": gpu_tests, "benchmark": benchmark, "training": training}


def _part(name: str, command: list[object], seconds: float) -> Part:
    return Part(name, [sys.executable, *map(str, command)], seconds)


def find_package(scratch: Path) -> dict[str, str]:
    """Environment variables with which Python finds this checkout, and a version if the package is not installed."""
    folders = [ROOT / "src", *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        version("napari-bonescint")
    except PackageNotFoundError:
        facts = scratch / "napari_bonescint-0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: napari-bonescint\nVersion: 0\n")
        folders.append(scratch)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONUNBUFFERED": "1"}


def run(part: Part, out: Path, environment: dict[str, str], meanwhile: Callable[[], None]) -> Outcome:
    """Run a part with its output in `out`; at its time limit, end it with all processes that it started."""
    began = time.monotonic()
    with (out / f"{part.name}.txt").open("wb") as log:
        process = subprocess.Popen(part.command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=Path.cwd())
        stopped = False
        try:
            while process.poll() is None:
                if time.monotonic() - began > part.seconds:
                    stopped = True
                    end_with_children(process)
                    break
                meanwhile()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
        except BaseException:
            end_with_children(process)
            raise
    return Outcome(part.name, process.wait(), round(time.monotonic() - began, 1), stopped)


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it started."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
    psutil.wait_procs(family, timeout=2)


def describe(outcome: Outcome) -> str:
    """The end of a part in words."""
    end = "stopped at its time limit" if outcome.stopped else f"exit status {outcome.status}"
    return f"{end} after {outcome.seconds:.0f} s"


class Trained:
    """What a session has trained, in an archive.

    Parameters
    ----------
    path : Path
        The archive.
    runs : Path
        Folder of the trainings, for their logs.
    """

    def __init__(self, path: Path, runs: Path) -> None:
        self._path, self._runs = path, runs
        self._at_start = self._archived = _cycles()

    def archive_if_new(self) -> None:
        """Write the archive if a cycle has ended since the last time."""
        if _cycles() != self._archived:
            self.archive()

    def archive(self) -> None:
        """Write the networks with new cycles, the schedule's page and the logs to one file, whole or not at all."""
        cycles = _cycles()
        names = ["train/SCHEDULE.md"]
        for network in sorted(name for name, when in cycles.items() if self._at_start.get(name) != when):
            names += [f"train/state/{network}{ending}" for ending in (".safetensors", ".json", _CYCLES)]
        fresh = self._path.with_name(f".{self._path.name}.new")
        with tarfile.open(fresh, "w") as file:
            for name in names:
                if (ROOT / name).exists():
                    file.add(ROOT / name, name)
            for log in sorted(self._runs.glob("**/log.jsonl")):
                file.add(log, Path("runs", self._runs.name, log.relative_to(self._runs)).as_posix())
        fresh.replace(self._path)
        self._archived = cycles


def _cycles() -> dict[str, float]:
    """When the list of cycles of each network was written."""
    paths = (ROOT / "train" / "state").glob(f"*{_CYCLES}")
    return {path.name.removesuffix(_CYCLES): path.stat().st_mtime for path in paths}


if __name__ == "__main__":
    sys.exit(main())
