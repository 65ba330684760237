"""What napari's own dialog offers, and what becomes of labels that are saved there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tifffile
from napari.layers import Labels
from napari_builtins.io import napari_write_labels
from qtpy.QtWidgets import QFileDialog

from napari_bonescint.gui.layers.labels import empty_labels

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from napari import Viewer
    from napari.layers import Image


def save_by_dialog(viewer: Viewer, path: Path, monkeypatch: pytest.MonkeyPatch, *, selected: bool = True) -> list[str]:
    """Save as a user does who types a name and leaves the format as it is; returns the formats that were offered."""
    offered: list[str] = []

    def choose(*_arguments: object, **options: str) -> tuple[str, str]:
        offered.extend(options["filter"].split(";;"))
        return str(path), offered[0]

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    viewer.window._qt_viewer._save_layers_dialog(selected=selected)
    return offered


def test_our_formats_come_first_for_our_layers(
    viewer: Viewer, images: list[Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = [empty_labels(image) for image in images]
    for labels in drawn:
        labels.data[10:30, 8:16] = 5
        viewer.add_layer(labels)
    viewer.layers.selection = set(drawn[:1])
    offered = save_by_dialog(viewer, tmp_path / "one", monkeypatch)
    assert [text.startswith("Bone scintigraphy") for text in offered] == [True] * 4 + [False] * (len(offered) - 4)
    assert offered[0] == "Bone scintigraphy bone masks (*.tif *.tiff *.regions.tif *.skeleton.tif)"
    assert tifffile.imread(tmp_path / "one.regions.tif").shape == (1, *images[0].data.shape)
    offered = save_by_dialog(viewer, tmp_path / "all.tif", monkeypatch, selected=False)
    assert offered[0].startswith("Bone scintigraphy bone masks")
    assert tifffile.imread(tmp_path / "all.regions.tif").shape == (2, *images[0].data.shape)


def test_labels_on_no_scan_are_saved_as_without_the_plugin(
    viewer: Viewer, images: list[Image], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = viewer.add_labels(np.ones((5, 20, 20), np.int32), name="cells")
    viewer.layers.selection = {cells}
    save_by_dialog(viewer, tmp_path / "cells", monkeypatch)
    assert tifffile.imread(tmp_path / "cells.tif").shape == (5, 20, 20)


def test_a_mask_that_napari_wrote_without_a_pixel_size_opens_on_its_view(
    viewer: Viewer, images: list[Image], tmp_path: Path
) -> None:
    labels = empty_labels(images[1])
    labels.data[10:30, 8:16] = 5
    viewer.add_layer(labels)
    napari_write_labels(str(tmp_path / f"{labels.name}.tif"), labels.data, {})
    viewer.layers.remove(labels)
    viewer.open(tmp_path / f"{labels.name}.tif", plugin="napari")
    (opened,) = (layer for layer in viewer.layers if isinstance(layer, Labels))
    np.testing.assert_allclose(opened.extent.world, images[1].extent.world)
