"""Check that a typical session sends nothing to the network, in Python or in native code.

    scripts/on_display.sh python benchmarks/afternoon.py [--only STEP...]

In a real napari window, the script segments the real scan, corrects, saves, retrains, compares models and uses the new
weights, by clicks. Then it segments with every engine, in several processes and on a Dask cluster; on the command line
it simulates, trains in two processes with TensorBoard, compares and evaluates. Each step runs under strace (Linux),
which records the system calls of all processes. The script prints every connection or packet to an address other than
the loopback, every name look-up, and every new file in the home folder. The exit status is 1 if a step fails or if
anything was sent.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import napari_bonescint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_SAMPLE = Path(napari_bonescint.__file__).parent / "samples" / "simulated.dcm"
_MODEL = "fdn-5"  # of few parameters, and calibrated for eight-bit integers
_DOMAIN_NAMES = 53
_SENT = re.compile(
    r"sin6?_port=htons\((?P<port>\d+)\).*?"
    r'(?:inet_addr\("(?P<four>[^"]+)"\)|inet_pton\(AF_INET6, "(?P<six>[^"]+)")'
)
_BONESCINT = [sys.executable, "-m", "napari_bonescint"]


def at_the_window(folder: Path) -> None:
    """Open, segment, correct, save, retrain, judge and use, by clicks."""
    import napari
    import numpy as np
    from napari.layers import Image, Labels
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from click_to_labels import run_until as run_window_until
    from napari_bonescint.gui.correct.correcting import Correcting

    def run_until(condition: Callable[[], bool]) -> None:
        # Training and judging take longer than the patience of a click.
        while not condition():
            run_window_until(_passed(time.perf_counter() + 0.1))

    viewer = napari.Viewer()
    viewer.open_sample("napari-bonescint", "nema_nm1")
    viewer.open(_SAMPLE, plugin="napari-bonescint")
    _, segmenting = viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    segmenting.rows.check_only([layer for layer in viewer.layers if isinstance(layer, Image)])
    segmenting.button.click()
    run_until(lambda: not segmenting.is_running)
    if not any(isinstance(layer, Labels) and layer.data.any() for layer in viewer.layers):
        sys.exit("Nothing was segmented.")
    _, correcting = viewer.window.add_plugin_dock_widget("napari-bonescint", "Correct masks")
    QTest.keyClicks(correcting.saving.name, "A. Annotator")
    QTest.keyClick(correcting.saving.name, Qt.Key.Key_Return)
    correcting.controller.open(folder / "labels")
    run_until(lambda: isinstance(correcting.controller.state, Correcting))
    labels = [layer for layer in viewer.layers if isinstance(layer, Labels)][-1]
    rows, columns = np.mgrid[300:320, 100:120]
    labels.data_setitem((rows.ravel(), columns.ravel()), 4)
    saved: list[object] = []
    correcting.controller.state.saved.connect(lambda *what: saved.append(what))
    correcting.saving.reviewed_button.click()
    run_until(lambda: bool(saved))
    _, retraining = viewer.window.add_plugin_dock_widget("napari-bonescint", "Retrain")
    retraining.setup.stores.add(folder / "labels")
    retraining.setup.add_recipe(folder / "stalls.toml")
    run_until(lambda: "Held out" in retraining.setup.stores.supply.text())
    retraining.setup.button.click()
    print("trains", flush=True)
    run_until(lambda: retraining.tabs.currentIndex() == 2)
    print("judges", flush=True)
    run_until(retraining.verdict.use_button.isVisible)
    retraining.verdict.use_button.click()
    run_until(lambda: "in use" in retraining.verdict.sentence.text())
    viewer.close()


def _passed(moment: float) -> Callable[[], bool]:
    return lambda: time.perf_counter() > moment


def with_every_engine(_folder: Path) -> None:
    """Segment with each engine, including those for comparison only."""
    from napari_bonescint.formats.opening import open_scan
    from napari_bonescint.inference.backends.choice import CPU_ENGINES
    from napari_bonescint.inference.backends.comparisons import COMPARISONS
    from napari_bonescint.inference.model_registry import find_model
    from napari_bonescint.inference.preprocessing import Grid, images_on

    card = find_model(_MODEL)
    scan = open_scan(_SAMPLE)
    images = images_on(Grid.of(scan, card.grid_mm), scan)
    for name, load in {**CPU_ENGINES, **COMPARISONS}.items():
        print(f"{name}: logits of shape {load(card).logits(images).shape}", flush=True)
    # A thread that sends may start late.
    time.sleep(20)


def on_a_cluster(folder: Path) -> None:
    """Segment on a scheduler with one worker."""
    processes: list[subprocess.Popen[str]] = []

    def start(what: str, there: str, *arguments: str) -> str:
        code = f"from distributed.cli.dask_{what} import main; main()"
        words = [sys.executable, "-c", code, *arguments, "--host", "127.0.0.1", "--no-dashboard"]
        processes.append(subprocess.Popen(words, stderr=subprocess.PIPE, text=True))
        for line in processes[-1].stderr or ():
            if there in line:
                return line.split()[-1]
        raise RuntimeError(f"dask {what} has ended")

    try:
        address = start("scheduler", "Scheduler at:", "--port", "0")
        start("worker", "Registered to:", address, "--no-nanny")
        _bonescint("segment", _SAMPLE, "--out", folder / "by-cluster", "--scheduler", address)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def on_the_command_line(folder: Path) -> None:
    """Segment many scans, use a store, simulate, train in two processes, compare and score."""
    archive = folder / "archive"
    archive.mkdir()
    for number in range(3):
        shutil.copy(_SAMPLE, archive / f"{number}.dcm")
    _bonescint("segment", archive, "--out", folder / "masks", "--workers", "2")
    _bonescint("store", "create", folder / "more")
    _bonescint("store", "add", folder / "more", _SAMPLE)
    _bonescint("store", "check", folder / "labels")
    _bonescint("store", "export", folder / "labels", "--out", folder / "exported")
    _bonescint("simulate", "--out", folder / "simulated", "--first", "7")
    recipe, store = folder / "stalls.toml", ("--store", folder / "labels")
    _bonescint("train", recipe, *store, "--runs", folder / "runs", "--devices", "2", "--tensorboard", "--device", "cpu")
    _bonescint("judge", "--new", folder / "runs" / "stalls" / "stalls.safetensors", *store)
    _bonescint("evaluate", "--data", folder / "labels", "--model", _MODEL, "--out", folder / "scores")
    _bonescint("models")


STEPS: dict[str, Callable[[Path], None]] = {
    step.__name__.replace("_", "-"): step
    for step in (at_the_window, with_every_engine, on_a_cluster, on_the_command_line)
}


def _bonescint(*words: str | Path) -> None:
    print("bonescint", *words[:2], flush=True)
    done = subprocess.run([*_BONESCINT, *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"bonescint {words[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def destinations(lines: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Destinations of the calls in a trace: address with port, and true if it is beyond the loopback."""
    for line in lines:
        # strace writes an interrupted call in two lines; the first has the address.
        if (found := _SENT.search(line)) is None or " bind(" in line:
            continue
        address = ip_address(found["four"] or found["six"])
        address = getattr(address, "ipv4_mapped", None) or address
        port = int(found["port"])
        leaves = port == _DOMAIN_NAMES or not (address.is_loopback or address.is_unspecified)
        yield f"{address} port {port}" if leaves else "loopback", leaves


def trace(step: str, folder: Path) -> bool:
    """Run a step and print its destinations; return true if it succeeded and sent nothing."""
    log = folder / f"{step}.trace"
    watched = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", str(log)]
    start = time.perf_counter()
    done = subprocess.run([*watched, sys.executable, __file__, "--do", step, str(folder)], check=False)
    with log.open(errors="replace") as lines:
        reached = Counter(destinations(lines))
    print(f"{step}: {time.perf_counter() - start:.0f} s, exit status {done.returncode}")
    for (where, leaves), times in reached.most_common():
        print(f"  {'LEAVES: ' if leaves else ''}{where}: {times} times")
    return done.returncode == 0 and not any(leaves for _, leaves in reached)


def main() -> int:
    """Run all steps; return 1 if one failed or sent anything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), metavar="STEP", help=", ".join(STEPS))
    parser.add_argument("--do", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.do:
        STEPS[arguments.do[0]](Path(arguments.do[1]))
        return 0
    if shutil.which("strace") is None:
        sys.exit("This needs strace, which is there for Linux.")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        os.environ |= {
            "HOME": str(home),
            "BONESCINT_MODELS": str(folder / "models"),
            "BONESCINT_RUNS": str(folder / "gui"),
        }
        for variable in ("CI", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            os.environ.pop(variable, None)
        from retrain_stalls import make_store, prepare

        prepare(folder)
        make_store(folder / "labels")
        fine = [trace(step, folder) for step in arguments.only]
        left = {"/".join(path.relative_to(home).parts[:3]) for path in home.rglob("*") if path.is_file()}
        print("left in the home folder:", *sorted(left) or ["nothing"], sep="\n  ")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
