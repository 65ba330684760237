"""Measure stalls of the window while the panel "Retrain" is used, from opening it to using new weights.

    scripts/on_display.sh python benchmarks/retrain_stalls.py [--store labels]

Opens a real napari window and the panel, trains a tiny network on a label store (simulated scans of two views of
1024 x 256, or an existing store, which may be large), shows curves and samples, pauses, resumes, waits for the verdict
and uses the new weights. Last it opens a training with 2,000 reports and 100 samples. A timer of 5 ms runs in the
thread of the window: `stall` is the longest gap between two ticks, with drawing (under Xvfb on the processor). `busy`
is the most processor time between two ticks: the stall on an otherwise idle computer. Limit: 50 ms.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import napari
import numpy as np
from qtpy.QtCore import QTimer
from tqdm import tqdm

from click_to_labels import Heartbeat, run_until
from napari_bonescint.gui.common.settings import keep_in
from napari_bonescint.training.loop.recipe import Recipe
from napari_bonescint.training.runs.event_log import TrainingLog
from napari_bonescint.training.runs.run_control import LOG, runs_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.gui.retrain.panel import RetrainWidget

LIMIT_S = 0.050
RECIPE = Recipe(
    name="stalls",
    description="For measuring stalls",
    architecture="fdn-5",
    outputs=17,
    grid_mm=9.0,
    rows=224,
    columns=64,
    batch=2,
    keep_phases=(2,),
    learning_rate=0.003,
    warm_up=2,
    steps=60,
    dice_weight=0.5,
    average=0.9,
    seed=1,
    check_every=20,
)
_BEAT_MS = 5
_SCANS = 40
_REPORTS, _SAMPLES = 2000, 100


def prepare(folder: Path) -> None:
    """Write a recipe, and make a tiny model the current one."""
    import torch

    from napari_bonescint.inference.model_registry import use
    from napari_bonescint.networks.zoo import build_network
    from napari_bonescint.training.loop.checkpoint import publish

    torch.manual_seed(0)
    (folder / "first").mkdir()
    use(publish(build_network(RECIPE.architecture, outputs=RECIPE.outputs), RECIPE, folder / "first", {}, []))
    settings = {name: value for name, value in asdict(RECIPE).items() if name not in ("start", "mirrored")}
    lines = (f"{name} = {list(value) if isinstance(value, tuple) else value!r}" for name, value in settings.items())
    (folder / "stalls.toml").write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")


def make_store(folder: Path) -> None:
    """Make a store of the simulated sample with as many patients as scans."""
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.corrections.store.records.revision import Origin
    from napari_bonescint.formats.dicom.identity import Identity
    from napari_bonescint.formats.masks.label_tiff import read_labels
    from napari_bonescint.formats.opening import open_scan
    from training_memory import SAMPLES

    store = LabelStore.create(folder)
    sample = open_scan(SAMPLES / "simulated.dcm")
    regions = np.stack(read_labels(SAMPLES / "simulated.regions.tif").masks)
    for number in tqdm(range(_SCANS), desc="making scans", disable=None):
        counts = np.random.default_rng(number).binomial(sample.counts, 0.7).astype(np.uint16)
        source = hashlib.sha256(str(number).encode()).hexdigest()
        key = store.add(replace(sample, counts=counts, source_sha256=source), Identity(patient=str(number)))
        store.save(key, regions, Origin.empty(), annotator="A. Annotator", reviewed=True)


def make_long_run(like: Path) -> Path:
    """A finished training with a long log."""
    from PIL import Image

    run = runs_folder() / "long"
    (run / "samples").mkdir(parents=True)
    shutil.copy(like / "settings.json", run)
    log = TrainingLog(run / LOG)
    counts = {
        "cases": 800,
        "patients": 700,
        "validation_cases": 100,
        "validation_patients": 90,
        "held_out_cases": 200,
        "held_out_patients": 180,
    }
    left_out = [{"case": f"{case:016x}", "why": "Revision 1 shows no bone in the anterior view."} for case in range(50)]
    log.append("data", left_out=left_out, **counts)
    picture = Image.effect_noise((600, 400), 60)
    for report in range(1, _REPORTS + 1):
        step = 10 * report
        log.append("progress", step=step, steps=10 * _REPORTS, loss=1 / report**0.3, seconds_left=100.0)
        if report % (_REPORTS // _SAMPLES) == 0:
            picture.save(run / "samples" / f"{step:06d}.png")
            log.append("check", step=step, dice=0.9 - 0.5 / report, best=True)
            log.append("sample", step=step, file=f"samples/{step:06d}.png")
    return run


class Stalls:
    """Measures stalls of one action after the other."""

    def __init__(self) -> None:
        self._heart, self._timer = Heartbeat(), QTimer()
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._heart.beat)
        self._timer.start()
        self.over = 0
        print(f"{'':34}{'time':>10}{'stall':>11}{'busy':>11}")

    def measure(self, what: str, action: Callable[[], object], done: Callable[[], bool] | float) -> None:
        """Start an action, wait until it is done or for some seconds, and print the longest stall."""
        until = done if callable(done) else _seconds(done)
        self._heart.start()
        start = time.perf_counter()
        action()
        self._heart.beat()
        while not until():
            run_until(_seconds(0.05))
        self._heart.beat()
        stall, busy, took = self._heart.longest, self._heart.busiest, time.perf_counter() - start
        self.over += busy > LIMIT_S
        marked = "  over" if busy > LIMIT_S else ""
        print(f"{what:34}{took:>8.2f} s{1000 * stall:>8.0f} ms{1000 * busy:>8.0f} ms{marked}", flush=True)


def _seconds(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() > end


def measure(folder: Path, store: Path) -> int:
    """Act like a user, and return the number of actions over the limit."""
    viewer = napari.Viewer()
    run_until(_seconds(3))
    stalls = Stalls()
    stalls.measure("nothing", lambda: None, 2.0)
    opened: list[RetrainWidget] = []
    stalls.measure(
        "opening the panel",
        lambda: opened.append(viewer.window.add_plugin_dock_widget("napari-bonescint", "Retrain")[1]),
        1.0,
    )
    panel = opened[0]
    setup, training, verdict = panel.setup, panel.training, panel.verdict
    stalls.measure("a store", lambda: setup.stores.add(store), lambda: "Held out" in setup.stores.supply.text())
    stalls.measure("a recipe", lambda: setup.add_recipe(folder / "stalls.toml"), 0.5)
    stalls.measure("Start", setup.button.click, lambda: panel.monitor.run is not None)
    stalls.measure("until the first report", lambda: None, lambda: bool(training.loss.latest))
    stalls.measure("Pause", training.pause_button.click, lambda: training.pause_button.text() == "Go on")
    stalls.measure("Go on", training.pause_button.click, lambda: training.pause_button.text() == "Pause")
    stalls.measure("until the first samples", lambda: None, lambda: training.samples.picture.isVisible())
    stalls.measure("until it has finished", lambda: None, lambda: panel.tabs.currentIndex() == 2)
    stalls.measure("judging", lambda: None, lambda: verdict.use_button.isVisible())
    stalls.measure("its pictures", lambda: None, 1.0)
    bar = panel.tabs.currentWidget().verticalScrollBar()
    stalls.measure("scrolling", lambda: bar.setValue(bar.maximum()), 0.3)
    stalls.measure("Use", verdict.use_button.click, lambda: "in use" in verdict.sentence.text())
    stalls.measure("models", lambda: panel.tabs.setCurrentIndex(3), 1.0)
    run = runs_folder() / panel.runs.current_choice
    long_run = make_long_run(run)
    stalls.measure("a long training", lambda: panel._add_run(long_run), lambda: training.samples.picture.isVisible())
    stalls.measure("looking at it", lambda: panel.tabs.setCurrentIndex(1), 0.5)
    stalls.measure("its earlier samples", lambda: training.samples.slider.setValue(3), 0.5)
    stalls.measure("the first training again", lambda: panel._add_run(run), lambda: "in use" in verdict.sentence.text())
    stalls.measure("closing the panel", panel.close, 0.5)
    viewer.close()
    return stalls.over


def main() -> int:
    """Measure and print a table; return 1 if an action exceeds the limit of processor time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="an existing label store (default: a new one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.environ |= {"BONESCINT_MODELS": str(folder / "models"), "BONESCINT_RUNS": str(folder / "runs")}
        keep_in(folder)
        store = options.store or folder / "labels"
        # In another process, so that this one has imported nothing but napari when the panel is opened.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as other:
            other.submit(prepare, folder).result()
            if options.store is None:
                other.submit(make_store, store).result()
        return 1 if measure(folder, store) else 0


if __name__ == "__main__":
    raise SystemExit(main())
