"""Take the pictures of the panels in docs/ from the real program, with simulated patients.

    scripts/on_display.sh python scripts/panel_pictures.py --work data/pictures --out docs [--only retraining]

`segmented-nm1.webp` is the screenshot of scripts/demo.py, and `eight-clicks.webp` the way of scripts/clinician_walk.py.
`correcting.webp` shows a case of a label store, and `retraining.webp` three pages of the panel Retrain after a short
training. What is simulated stays in --work and is used again. Under Xvfb on two cores it takes a quarter of an hour.
Needs the extras [simulate] and [train].
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import napari
from clinician_walk import settle, strip, to_image, wait
from napari.settings import get_settings
from PIL import Image
from qtpy.QtWidgets import QPushButton, QTabWidget, QWidget

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.gui.common.panels import open_panel
from napari_bonescint.gui.common.settings import keep_in
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from collections.abc import Callable

_ROOT = Path(__file__).parents[1]
_PATIENTS = 40
_STEPS = 40
_CASES = 6
_PATIENCE_S = 1800
_WINDOW = (1200, 752)
_PAGE = (370, 885)
_PAGE_GAP = 10
_COLOURS, _ROUNDS, _QUALITY = 128, 5, 50
"""The rounds of k-means keep the colours of small bones."""


def segmented_nm1(work: Path) -> Image.Image:
    """The real sample scan with its bones, as `make demo` shows it."""
    shutil.rmtree(_ROOT / "demo", ignore_errors=True)
    subprocess.run([sys.executable, _ROOT / "scripts" / "demo.py"], check=True, cwd=work)
    return Image.open(_ROOT / "demo" / "segmented-nm1.png")


def correcting(work: Path) -> Image.Image:
    """A case of a label store in the panel Correct masks, with the model's prediction."""
    scans, store = work / "scans", work / "ward-7"
    if not store.exists():
        scans.mkdir(exist_ok=True)
        shutil.copy(_department(work) / "skeleton.npz", scans)
        _bonescint("simulate", "--out", scans, "--dicom", "--first", 100, "--count", _CASES, "--workers", 2)
        _bonescint("store", "create", store)
        _bonescint("store", "add", store, scans)
    viewer = napari.Viewer()
    viewer.window.resize(*_WINDOW)
    panel = open_panel(viewer, "Correct masks")
    panel.saving.name.setText("J. Ortiz")
    panel.controller.open(store, scans)
    _wait(lambda: sum(layer.name.endswith("bones") for layer in viewer.layers) == 2)
    _wait(lambda: all(layer.data.any() for layer in viewer.layers if layer.name.endswith("bones")))
    settle(20)  # the next cases are predicted, and their rows show it
    viewer.reset_view()
    settle(2)
    buffer = BytesIO()
    Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).save(buffer, "PNG")
    viewer.close()
    return Image.open(buffer)


def retraining(work: Path) -> Image.Image:
    """Set-up, progress and comparison of a short training, page beside page."""
    department, store = _department(work), work / "labels"
    if not store.exists():
        _bonescint("store", "create", store)
        _bonescint("store", "add", store, department / "scans")
        _bonescint("store", "import", store, "--table", department / "masks.csv", "--reviewed")
    viewer = napari.Viewer()
    dock, panel = viewer.window.add_plugin_dock_widget("napari-bonescint", "Retrain")
    panel.setup.stores.add(store)
    panel.setup.add_recipe(_short_recipe(work))
    tabs = panel.findChild(QTabWidget)
    dock.setFloating(True)
    panel.setFixedSize(*_PAGE)
    _wait(lambda: _button(panel, "Start retraining").isEnabled())
    _wait(lambda: "Measuring" not in panel.setup.devices.estimate.text())
    if not any((work / "runs").glob("*")):
        _button(panel, "Start retraining").click()
    pages = []
    for index in (2, 1, 0):
        _wait(lambda index=index: _is_there(panel, tabs, index))
        settle(3)
        pages.insert(0, to_image(panel.grab()))
    viewer.close()
    sheet = Image.new("RGB", (len(pages) * (_PAGE[0] + _PAGE_GAP) - _PAGE_GAP, _PAGE[1]), "white")
    for number, page in enumerate(pages):
        sheet.paste(page, (number * (_PAGE[0] + _PAGE_GAP), 0))
    return sheet


_PICTURES: dict[str, Callable[[Path], Image.Image]] = {
    "segmented-nm1": segmented_nm1,
    "correcting": correcting,
    "retraining": retraining,
    "eight-clicks": strip,
}


def _is_there(panel: QWidget, tabs: QTabWidget, index: int) -> bool:
    """Whether a page can be pictured: that of the comparison, once a training has ended and was compared."""
    if not any(button.isVisibleTo(tabs.widget(2)) for button in _buttons(panel, "Use these weights")):
        return False
    tabs.setCurrentIndex(index)
    return True


def _department(work: Path) -> Path:
    folder = work / "department"
    _bonescint("simulate", "--out", folder, "--dicom", "--patients", _PATIENTS, "--workers", 2)
    return folder


def _short_recipe(work: Path) -> Path:
    """The recipe `quick` with fewer steps."""
    text = (shipped_folder("train") / "recipes" / "quick.toml").read_text(encoding="utf-8")
    for name, value in (("steps", _STEPS), ("warm_up", 4), ("check_every", _STEPS // 4)):
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    path = work / "quick.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _bonescint(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "napari_bonescint", *map(str, words)], check=True)


def _small(picture: Image.Image) -> bytes:
    """A WebP file: exact with few colours, or lossy with all of them, whichever is smaller."""
    whole = picture.convert("RGB")
    few = whole.quantize(_COLOURS, kmeans=_ROUNDS, dither=Image.Dither.NONE).convert("RGB")
    exact, lossy = BytesIO(), BytesIO()
    few.save(exact, "WEBP", lossless=True, method=6)
    whole.save(lossy, "WEBP", quality=_QUALITY, method=6)
    return min(exact.getvalue(), lossy.getvalue(), key=len)


def _wait(done: Callable[[], bool]) -> None:
    wait(done, _PATIENCE_S)


def _buttons(panel: QWidget, text: str) -> list[QPushButton]:
    return [button for button in panel.findChildren(QPushButton) if button.text() == text]


def _button(panel: QWidget, text: str) -> QPushButton:
    return _buttons(panel, text)[0]


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder for what is simulated and trained")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--only", choices=_PICTURES, nargs="+", default=list(_PICTURES), help="(default: all)")
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    # Your own models, trainings and settings stay as they are.
    os.environ["BONESCINT_MODELS"] = str(work / "models")
    os.environ["BONESCINT_RUNS"] = str(work / "runs")
    get_settings(work / "napari.yaml")
    for name in options.only:
        settings = work / "settings" / name
        os.environ["BONESCINT_WORK"] = str(settings / "work")
        shutil.rmtree(settings, ignore_errors=True)
        keep_in(settings)
        write_bytes_atomically(options.out / f"{name}.webp", _small(_PICTURES[name](work)))


if __name__ == "__main__":
    main()
