"""Scans that a workstation sends, with dcmtk's storescu, in a real window."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt

from archive_peers.orthanc import free_port
from archive_peers.patients import write_scan
from gui.panel_actions import PATIENCE_MS
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.setups_file import keep_setup
from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.archive.panel import ArchiveWidget

pytestmark = [pytest.mark.archive, pytest.mark.usefixtures("_peers_are_there")]


def send(setup: ArchiveSetup, *paths: Path, calling: str = "WORKSTATION", trusting: Path | None = None) -> bool:
    tls = ["+tla", "+cf", trusting] if trusting is not None else []
    command = ["storescu", *tls, "-aet", calling, "-aec", "BONESCINT", "127.0.0.1", str(setup.own_port), *paths]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


def test_what_a_workstation_sends_by_tls_is_listed_and_opened(
    viewer: Viewer, qtbot: QtBot, tmp_path: Path, certificates: Path
) -> None:
    ward = ArchiveSetup("ward", Kind.RECEIVER, own_port=free_port(), own_tls=True, allowed_titles=("WORKSTATION",))
    ward = replace(ward, certificate=str(certificates / "server.pem"), key=str(certificates / "server.key"))
    authority = certificates / "authority.pem"
    keep_setup(ward)
    one, two = write_scan(tmp_path / "1.dcm", 1), write_scan(tmp_path / "2.dcm", 2, "20250110")
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    qtbot.waitUntil(lambda: panel.receive.native.isVisible())
    assert not panel.search_button.isVisible()
    assert not panel.receive.value  # off until the user wants it
    assert not send(ward, one)

    box = panel.receive.native
    box.click()
    listens = f"BONESCINT listens at 127.0.0.1 port {ward.own_port} with TLS for WORKSTATION."
    qtbot.waitUntil(lambda: panel.status.text() == listens, timeout=PATIENCE_MS)
    assert not send(ward, one)
    refused = "ward: a connection from 127.0.0.1 was refused: it does not speak TLS; switch TLS on there."
    qtbot.waitUntil(lambda: panel.status.text() == refused, timeout=PATIENCE_MS)
    assert not send(ward, one, calling="STRANGER", trusting=authority)
    assert send(ward, one, two, trusting=authority)
    qtbot.waitUntil(lambda: panel.status.text() == "2 images came in.", timeout=PATIENCE_MS)
    tree = panel.tree
    assert [tree.topLevelItem(row).text(0) for row in range(2)] == ["2026-03-01\n1 image", "2025-01-10\n1 image"]
    assert tree.topLevelItem(0).text(1) == "Identifying, Person0001\nPATIENT-0001 · Bone scan"
    tree.topLevelItem(1).setExpanded(True)
    assert tree.topLevelItem(1).child(0).text(1) == "Series 1 · Whole body · 1 image"
    assert not panel.priors_button.isEnabled()
    qtbot.mouseClick(panel.picture_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.picture.isVisible, timeout=PATIENCE_MS)
    tree.setCurrentItem(tree.topLevelItem(1))
    qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=PATIENCE_MS)
    assert [layer.name for layer in viewer.layers] == ["scan 1 anterior", "scan 1 posterior"]
    qtbot.waitUntil(lambda: panel.status.text() == "Opened: scan 1 (2025-01-10).")

    box.click()
    qtbot.waitUntil(lambda: panel.status.text() == "ward: nothing is received now.")
    assert not send(ward, one, trusting=authority)


def test_a_port_that_is_taken_is_one_sentence_and_closing_the_panel_ends_receiving(
    viewer: Viewer, qtbot: QtBot, tmp_path: Path
) -> None:
    ward = ArchiveSetup("ward", Kind.RECEIVER, own_port=free_port(), allowed_titles=("WORKSTATION",))
    keep_setup(ward)
    keep_setup(replace(ward, name="ward 2"))
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    qtbot.waitUntil(lambda: panel.receive.native.isVisible())
    panel.receive.native.click()
    qtbot.waitUntil(lambda: "listens at" in panel.status.text(), timeout=PATIENCE_MS)
    panel.archive.value = 1
    assert not panel.receive.value
    panel.receive.native.click()
    qtbot.waitUntil(lambda: panel.status.text().startswith("ward 2: cannot listen at 127.0.0.1"), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not panel.receive.value)
    panel.archive.value = 0
    assert panel.receive.value
    panel.close()
    assert not send(ward, write_scan(tmp_path / "1.dcm", 1))
