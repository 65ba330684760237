"""From a scan to weights that have learnt from its correction, in one window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Qt

from gui.correct.correcting_panel import case_of, is_open
from gui.panel_actions import PATIENCE_MS, click_and_wait, labels_in
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.gui.layers.labels import set_regions
from napari_bonescint.inference.model_registry import current_model, use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.correct.panel import CorrectWidget
    from napari_bonescint.inference.model_card import ModelCard

TRUNK = (slice(20, 110), slice(24, 40))


def write_scan(write_nm: Callable[..., Path]) -> Path:
    rng = np.random.default_rng(5)
    counts = rng.poisson(2, (2, 128, 64))
    counts[:, *TRUNK] += rng.poisson(60, (2, 90, 16))
    return write_nm(counts=counts.astype(np.uint16), PixelSpacing=[4.5, 4.5])


def store_that_learns_from(path: Path, folder: Path) -> LabelStore:
    """A store in which the patient of a scan is one of those trained on, as seven in ten are."""
    for number in range(50):
        store = LabelStore.create(folder / f"store-{number}")
        key = store.add(open_scan(path))
        if part_of_patient(store.files(key).facts().patient_key) is Part.TRAINED:
            return store
    raise AssertionError("the patient of a scan is trained on in none of fifty stores")


def corrected() -> NDArray[np.uint8]:
    """What an annotator calls bone: the trunk, in two regions."""
    mask = np.zeros((128, 64), np.uint8)
    mask[TRUNK] = 3
    mask[65:110, 24:40] = 4
    return mask


def dice(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    overlap = np.count_nonzero((mask > 0) & (truth > 0))
    return 2 * overlap / max(1, np.count_nonzero(mask) + np.count_nonzero(truth))


def test_a_correction_changes_what_the_next_click_finds(
    viewer: Viewer,
    tmp_path: Path,
    write_nm: Callable[..., Path],
    make_model: Callable[..., ModelCard],
    open_correcting: Callable[..., CorrectWidget],
    tiny_recipe: Path,
    qtbot: QtBot,
) -> None:
    first = use(make_model())
    path = write_scan(write_nm)
    store = store_that_learns_from(path, tmp_path)

    viewer.open(path, plugin="napari-bonescint")
    images = [layer for layer in viewer.layers if isinstance(layer, Image)]
    _, segmenting = viewer.window.add_plugin_dock_widget("napari-bonescint", "Segment skeleton")
    click_and_wait(qtbot, segmenting)
    found = labels_in(viewer)
    before = [dice(layer.data, corrected()) for layer in found]

    correcting = open_correcting()
    correcting.controller.open(store.folder)
    qtbot.waitUntil(lambda: is_open(correcting))
    for layer in labels_in(viewer)[-2:]:
        set_regions(layer, corrected())
    with qtbot.waitSignal(case_of(correcting).saved):
        qtbot.mouseClick(correcting.saving.reviewed_button, Qt.MouseButton.LeftButton)

    _, retraining = viewer.window.add_plugin_dock_widget("napari-bonescint", "Retrain")
    assert retraining.setup.stores.folders == (store.folder,)
    retraining.setup.add_recipe(tiny_recipe)
    qtbot.mouseClick(retraining.setup.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(retraining.verdict.use_button.isEnabled, timeout=2 * PATIENCE_MS)
    assert "too few patients to compare" in retraining.verdict.sentence.text()
    qtbot.mouseClick(retraining.verdict.use_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: current_model() != first)
    qtbot.waitUntil(lambda: segmenting.models.card == current_model())

    segmenting.rows.check_only(images)
    click_and_wait(qtbot, segmenting)
    after = [dice(layer.data, corrected()) for layer in found]
    assert min(after) > 0.8
    assert max(before) < 0.6
