"""A panel that lacks packages installs them, and works without another start."""

from __future__ import annotations

import sys
import zipfile
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_bonescint.extras import install_command
from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.archive.panel import ArchiveWidget


def make_wheel(folder: Path, name: str, version: str) -> None:
    """A package without a module, as pip installs it."""
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


def test_the_archive_panel_installs_what_it_lacks(
    viewer: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    index, target = tmp_path / "index", tmp_path / "target"
    index.mkdir()
    # pip takes packages from a folder, not from the network, and leaves this Python alone.
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(index), "TARGET": str(target)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with monkeypatch.context() as lacking:
        lacking.setitem(sys.modules, "keyring", None)  # not found then
        panel: ArchiveWidget = open_panel(viewer, "Archive")
        box = panel.missing
        qtbot.waitUntil(lambda: bool(panel.session.obstacle))
        assert not box.visibleRegion().isEmpty()
        assert box.text.text() == "Archives need packages that are not installed: keyring."
        assert panel.status.text() == ""
        qtbot.mouseClick(box.copy_button, Qt.MouseButton.LeftButton)
        assert QApplication.clipboard().text() == install_command("archive")
        qtbot.mouseClick(box.install_button, Qt.MouseButton.LeftButton)
        assert box.status.text() == "Installing …"
        assert not box.install_button.isEnabled()
        qtbot.waitUntil(box.install_button.isEnabled)
        assert box.status.text() == "pip could not install them: No matching distribution found for keyring>=25."
        make_wheel(index, "keyring", "99.0")
        qtbot.mouseClick(box.install_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(box.install_button.isEnabled)
        assert [each.name for each in target.glob("*.dist-info")] == ["keyring-99.0.dist-info"]
        assert box.status.text() == "They are not installed yet."
    qtbot.mouseClick(box.look_button, Qt.MouseButton.LeftButton)
    assert box.isHidden()
    qtbot.waitUntil(lambda: panel.status.text() == "Set an archive up to search it.")
