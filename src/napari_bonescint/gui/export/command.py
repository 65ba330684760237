"""The command "Export", in napari's File menu and palette."""

from __future__ import annotations

import napari  # noqa: TC002  (napari looks the annotation up when it calls the command)

from napari_bonescint.gui.export.export_dialog import open_export


def export(viewer: napari.Viewer) -> None:
    """Open the dialog "Export"."""
    open_export(viewer)
