"""An archive that was set up, and studies in the panel as if it had been searched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari_bonescint.archive.records import Series, Study
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.setups_file import keep_setup
from napari_bonescint.gui.common.panels import open_panel

if TYPE_CHECKING:
    from napari import Viewer
    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.archive.panel import ArchiveWidget

ARCHIVE = "web"
STUDY = Study("1.2", "4711", "Doe^Jane", "19500101", "A1", "20260301", "", "Bone scan", ("NM",), 2, 3)


def open_with_studies(viewer: Viewer, qtbot: QtBot) -> ArchiveWidget:
    """The panel with two studies; the second series of the first one cannot be opened."""
    keep_setup(ArchiveSetup(ARCHIVE, Kind.DICOMWEB, url="https://pacs.example/dicom-web"))
    panel: ArchiveWidget = open_panel(viewer, "Archive")
    qtbot.waitUntil(panel.search_button.isEnabled)
    series = [
        Series(STUDY.uid, f"{STUDY.uid}.{number}", kind, "Whole body", number, 2)
        for number, kind in ((1, "NM"), (2, "CT"))
    ]
    panel.tree.show_studies([STUDY, replace(STUDY, uid="1.3", description="Bone scan, late")])
    panel.tree.show_series(STUDY, series)
    panel.tree.expandItem(panel.tree.topLevelItem(0))
    return panel
