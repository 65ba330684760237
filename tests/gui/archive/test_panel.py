"""The panel "Archive" in a real window, with a real Orthanc."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from napari.qt import QtViewer
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication

from archive_peers.failing import failing_archives, full_disk
from archive_peers.hostile import hostile
from archive_peers.patients import write_scan
from gui.panel_actions import PATIENCE_MS
from napari_bonescint.archive.setup import setups_file
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari import Viewer
    from pytestqt.qtbot import QtBot
    from qtpy.QtWidgets import QPushButton

    from archive_peers.orthanc import Orthanc
    from napari_bonescint.gui.archive.panel import ArchiveWidget


@pytest.fixture
def opened(viewer: Viewer, qtbot: QtBot) -> Callable[[], ArchiveWidget]:
    """Open the panel on the archive that was set up."""

    def open_it() -> ArchiveWidget:
        panel: ArchiveWidget = open_panel(viewer, "Archive")
        qtbot.waitUntil(lambda: panel.session.setup is not None)
        return panel

    return open_it


def press(button: QPushButton, qtbot: QtBot) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def search(panel: ArchiveWidget, qtbot: QtBot, name: str) -> None:
    field = panel.form.name.native
    field.clear()
    qtbot.keyClicks(field, name)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not panel.session.is_running, timeout=PATIENCE_MS)


def test_without_an_archive_the_panel_says_what_to_do(viewer: Viewer, qtbot: QtBot) -> None:
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    qtbot.waitUntil(lambda: panel.status.text() == "Set an archive up to search it.")
    for button in (panel.search_button, panel.open_button, panel.priors_button, panel.picture_button):
        assert not button.isEnabled()
    assert not panel.cancel_button.isVisible()
    assert panel.form.query.modality == "NM"
    assert panel.form.whole_body.value


def test_without_the_extra_the_panel_says_what_to_install(
    viewer: Viewer, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    setups_file.keep_setup(ArchiveSetup("web", Kind.DICOMWEB, url="https://pacs.example/dicom-web"))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pynetdicom", None)
        panel: ArchiveWidget = open_panel(viewer, "Archive")
        qtbot.waitUntil(lambda: bool(panel.session.obstacle))
        assert panel.missing.text.text() == "Archives need packages that are not installed: pynetdicom."
        assert not panel.search_button.isEnabled()
    panel.missing.look_button.click()
    qtbot.waitUntil(panel.search_button.isEnabled)
    assert panel.status.text() == ""


@pytest.mark.archive
def test_a_patient_is_found_seen_and_opened_with_priors(
    viewer: Viewer,
    opened: Callable[[], ArchiveWidget],
    qtbot: QtBot,
    orthanc: Orthanc,
    web: ArchiveSetup,
    tmp_path: Path,
) -> None:
    one = write_scan(tmp_path / "one.dcm", 1)
    earlier = [write_scan(tmp_path / f"{day}.dcm", 1, day) for day in ("20230101", "20240101", "20250101")]
    thyroid = write_scan(tmp_path / "thyroid.dcm", 1, "20250601", StudyDescription="Thyroid")
    other = write_scan(tmp_path / "other.dcm", 2)
    orthanc.store(one, *earlier, thyroid, other)
    panel = opened()
    search(panel, qtbot, "identifying^person0001")
    assert panel.status.text() == (
        "4 studies. 1 more is hidden, whose description names no bone scan; untick Whole body to see."
    )
    tree = panel.tree
    first = tree.topLevelItem(0)
    assert first.text(0) == "2026-03-01\n1 image"
    assert first.text(1) == "Identifying, Person0001\nPATIENT-0001 · Bone scan"
    panel.form.whole_body.value = False
    assert tree.topLevelItemCount() == 5
    panel.form.whole_body.value = True

    first = tree.topLevelItem(0)
    first.setExpanded(True)
    qtbot.waitUntil(lambda: first.childCount() == 1)
    assert (first.child(0).text(0), first.child(0).text(1)) == ("NM", "Series 1 · Whole body · 1 image")

    press(panel.picture_button, qtbot)
    qtbot.waitUntil(panel.picture.isVisible, timeout=PATIENCE_MS)
    assert panel.picture.pixmap().width() == 96
    assert not viewer.layers

    press(panel.priors_button, qtbot)
    qtbot.waitUntil(lambda: panel.status.text().startswith("Opened"), timeout=PATIENCE_MS)
    assert panel.status.text() == "Opened: scan 1 (2024-01-01), scan 2 (2025-01-01), scan 3 (2026-03-01)."
    assert [layer.name for layer in viewer.layers] == [
        f"scan {number} {view}" for number in (1, 2, 3) for view in ("anterior", "posterior")
    ]
    files = {layer.source.path for layer in viewer.layers}
    assert len(files) == 3
    assert all(path and path.startswith(str(tmp_path / "received")) for path in files)
    assert "Identifying" not in viewer.window._qt_window.windowTitle() + viewer.title
    for path in (tmp_path / "settings").rglob("*"):
        assert path.is_dir() or b"IDENTIFYING" not in path.read_bytes().upper()


def test_a_silent_archive_never_holds_the_window_up_and_is_cancelled(
    viewer: Viewer, opened: Callable[[], ArchiveWidget], qtbot: QtBot
) -> None:
    over = threading.Event()
    with hostile(lambda _peer: over.wait()) as port:
        setups_file.keep_setup(ArchiveSetup("web", Kind.DICOMWEB, url=f"http://127.0.0.1:{port}/dicom-web"))
        panel = opened()
        turns: list[float] = []
        timer = QTimer()
        timer.timeout.connect(lambda: turns.append(time.monotonic()))
        timer.start(1)
        qtbot.keyClick(panel.form.name.native, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: len(turns) > 100)
        assert panel.status.text() == "Searching …"
        assert panel.cancel_button.isVisible()
        assert not panel.search_button.isEnabled()
        before = time.monotonic()
        press(panel.cancel_button, qtbot)
        qtbot.waitUntil(lambda: panel.status.text() == "Cancelled.")
        assert time.monotonic() - before < 2
        assert panel.search_button.isEnabled()
        press(panel.search_button, qtbot)
        assert panel.cancel_button.isVisible()
        panel.window().activateWindow()
        qtbot.waitUntil(panel.isActiveWindow)
        qtbot.keyClick(viewer.window._qt_viewer.canvas.native, Qt.Key.Key_Escape)
        qtbot.waitUntil(lambda: panel.status.text() == "Cancelled.")
        over.set()


@pytest.mark.archive
def test_an_archive_without_dicomweb_is_searched_and_a_study_dragged_onto_the_viewer(
    viewer: Viewer,
    opened: Callable[[], ArchiveWidget],
    qtbot: QtBot,
    orthanc: Orthanc,
    dimse: ArchiveSetup,
    tmp_path: Path,
) -> None:
    orthanc.store(write_scan(tmp_path / "one.dcm", 1), write_scan(tmp_path / "two.dcm", 2))
    panel = opened()
    search(panel, qtbot, "Identifying^Person0002")
    (dragged,) = panel.tree.selectedItems()
    data = panel.tree.mimeData([dragged])
    assert data.formats() == ["application/x-bonescint-study"]
    assert not data.data("application/x-bonescint-study")
    canvas = viewer.window._qt_window.findChild(QtViewer)
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    entering = QDragEnterEvent(QPoint(50, 50), copy, data, button, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(canvas, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(canvas, QDropEvent(QPointF(50, 50), copy, data, button, Qt.KeyboardModifier.NoModifier))
    qtbot.waitUntil(lambda: panel.status.text() == "Opened: scan 1 (2026-03-01).", timeout=PATIENCE_MS)
    assert [layer.name for layer in viewer.layers] == ["scan 1 anterior", "scan 1 posterior"]


@pytest.mark.archive
def test_a_series_that_is_no_planar_scan_is_grey_with_the_reason(
    viewer: Viewer,
    opened: Callable[[], ArchiveWidget],
    qtbot: QtBot,
    orthanc: Orthanc,
    web: ArchiveSetup,
    tmp_path: Path,
) -> None:
    orthanc.store(write_scan(tmp_path / "tomo.dcm", 3, ImageType=["ORIGINAL", "PRIMARY", "TOMO", "EMISSION"]))
    panel = opened()
    search(panel, qtbot, "Identifying")
    item = panel.tree.topLevelItem(0)
    item.setExpanded(True)
    qtbot.waitUntil(lambda: item.childCount() == 1)
    press(panel.open_button, qtbot)
    qtbot.waitUntil(lambda: panel.status.text().startswith("There is no scan to open: "), timeout=PATIENCE_MS)
    assert not item.child(0).flags() & Qt.ItemFlag.ItemIsSelectable
    assert len(item.child(0).text(1).splitlines()) >= 2
    assert not viewer.layers


@pytest.mark.archive
def test_what_cannot_be_used_is_one_sentence_within_ten_seconds(
    opened: Callable[[], ArchiveWidget],
    qtbot: QtBot,
    orthanc: Orthanc,
    web: ArchiveSetup,
    certificates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with failing_archives(orthanc, web, certificates, tmp_path, monkeypatch) as failing:
        for setup, _ in failing:
            setups_file.keep_setup(setup)
        panel = opened()
        names = [setup.name for setup in panel.session.setups]
        for setup, part in failing:
            panel.archive.value = names.index(setup.name)
            before = time.monotonic()
            search(panel, qtbot, "Identifying")
            assert time.monotonic() - before < 10
            assert part in panel.status.text()
            assert "\n" not in panel.status.text()
            assert "hunter2" not in panel.status.text()
            assert panel.search_button.isEnabled()


@pytest.mark.archive
def test_an_archive_that_is_killed_and_a_full_disk_are_one_sentence_and_opening_works_later(
    viewer: Viewer,
    opened: Callable[[], ArchiveWidget],
    qtbot: QtBot,
    orthanc: Orthanc,
    web: ArchiveSetup,
    tmp_path: Path,
) -> None:
    orthanc.store(write_scan(tmp_path / "one.dcm", 1))
    panel = opened()
    search(panel, qtbot, "Identifying")

    def told() -> str:
        press(panel.open_button, qtbot)
        before = time.monotonic()
        qtbot.waitUntil(lambda: not panel.session.is_running, timeout=PATIENCE_MS)
        assert time.monotonic() - before < 10
        assert not viewer.layers
        return panel.status.text()

    orthanc.kill()
    try:
        assert "refuses connections" in told()
    finally:
        orthanc.start()
    with full_disk():
        sentence = told()
    assert "could not be written (File too large)" in sentence
    assert "PATIENT-0001" not in sentence
    assert "Identifying" not in sentence
    press(panel.open_button, qtbot)
    qtbot.waitUntil(lambda: panel.status.text() == "Opened: scan 1 (2026-03-01).", timeout=PATIENCE_MS)
