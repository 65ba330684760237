"""The manifest: valid, with a menu entry for each panel, and commands that work from the palette."""

from __future__ import annotations

import importlib.resources
import subprocess
import sys
from typing import TYPE_CHECKING

from napari._app_model import get_app_model
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QFileDialog

from napari_bonescint.formats.export import Form
from napari_bonescint.gui.export.export_dialog import ExportDialog
from napari_bonescint.gui.layers.labels import empty_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from napari import Viewer
    from napari.layers import Image
    from pytestqt.qtbot import QtBot

MANIFEST = PluginManifest.from_distribution("napari-bonescint")
# In test_commands.py and the tests of the panels Correct masks and Measure.
ELSEWHERE = {"Segment this scan", "Correct this scan", "Measure this scan"}
OURS = "(Bone scintigraphy)"


def run_from_palette(viewer: Viewer, title: str, qtbot: QtBot) -> None:
    """Open napari's palette, type the title, and press Enter, as a user does."""
    viewer.window._toggle_command_palette()
    palette = viewer.window._qt_window._command_palette
    qtbot.keyClicks(palette._line, title)
    assert title in palette._list.command_at(0).title
    qtbot.keyClick(palette._line, Qt.Key.Key_Return)


def test_npe2_finds_nothing_wrong() -> None:
    command = [sys.executable, "-m", "npe2", "validate", "napari-bonescint", "--imports"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_icon_is_a_small_picture(qtbot: QtBot) -> None:
    package, _, name = MANIFEST.icon.partition(":")
    with importlib.resources.as_file(importlib.resources.files(package) / name) as path:
        assert path.stat().st_size < 2000
        assert not QIcon(str(path)).pixmap(32, 32).isNull()


def test_each_panel_is_in_the_menu_where_users_look_for_it(viewer: Viewer) -> None:
    menus = get_app_model().menus
    found = {
        menu: [title for item in menus.get_menu(menu) if OURS in (title := getattr(item, "command", item).title)]
        for menu in (
            "napari/layers/segment",
            "napari/layers/annotate",
            "napari/layers/measure",
            "napari/file/io_utilities",
        )
    }
    assert {menu: sorted(titles) for menu, titles in found.items()} == {
        "napari/layers/segment": [
            "Retrain (Bone scintigraphy)",
            "Segment skeleton (Bone scintigraphy)",
            "Segment this scan (Bone scintigraphy)",
        ],
        "napari/layers/annotate": ["Correct masks (Bone scintigraphy)", "Correct this scan (Bone scintigraphy)"],
        "napari/layers/measure": ["Measure (Bone scintigraphy)", "Measure this scan (Bone scintigraphy)"],
        "napari/file/io_utilities": [
            "Archive (Bone scintigraphy)",
            "Export a scan and its bone masks (Bone scintigraphy)",
        ],
    }


SAVING = {
    "Save bone masks as TIFF": [Form.TIFF],
    "Save bone masks as NIfTI": [Form.NIFTI],
    "Save bone masks as DICOM SEG": [Form.SEG],
    "Save a picture of a scan with its bone masks": [Form.PICTURE],
    "Export a scan and its bone masks": [Form.SEG, Form.NIFTI, Form.COUNTS, Form.PICTURE],
}


def test_commands_that_save_open_the_export_with_their_format(
    viewer: Viewer, images: list[Image], qtbot: QtBot
) -> None:
    for image in images:
        viewer.add_layer(empty_labels(image))
    for title, forms in SAVING.items():
        run_from_palette(viewer, title, qtbot)
        dialog = viewer.window._qt_window.findChild(ExportDialog)
        assert dialog.isVisible()
        assert dialog.form.forms == forms, title
        dialog.reject()
        qtbot.waitUntil(lambda: viewer.window._qt_window.findChild(ExportDialog) is None)


def test_the_command_that_opens_asks_which_file(
    viewer: Viewer, write_nm: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(write_nm())], ""))
    run_from_palette(viewer, "Open a bone scan", qtbot)
    assert len([layer for layer in viewer.layers if "terior" in layer.name]) == 2


def test_all_commands_are_tried_here_or_with_their_panel() -> None:
    tried = {*SAVING, "Open a bone scan", *ELSEWHERE}
    panels = {widget.command for widget in MANIFEST.contributions.widgets}
    samples = {sample.command for sample in MANIFEST.contributions.sample_data}
    commands = {command.title for command in MANIFEST.contributions.commands if command.id not in panels | samples}
    assert commands == tried
