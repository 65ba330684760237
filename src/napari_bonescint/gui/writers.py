"""Save masks from napari with File > Save Selected Layers, for labels on the views of one scan.

The palette calls these functions without a path: then they open the dialog "Export" with their format ticked.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import npe2
from napari import current_viewer
from napari.layers import Labels
from napari.utils.notifications import show_warning
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import write_files_atomically
from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.export import Form
from napari_bonescint.formats.masks.registry import ENCODERS
from napari_bonescint.gui.common.main_window import main_window
from napari_bonescint.gui.export.export_dialog import open_export
from napari_bonescint.gui.export.open_scans import file_of
from napari_bonescint.gui.export.source_files import find_sources
from napari_bonescint.gui.layers.masks import NotOneScan, layers_to_mask
from napari_bonescint.gui.layers.scans import AID, KEY, facts_of, same_scan, shear_warnings
from napari_bonescint.gui.widgets.question import ask
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Image

    from napari_bonescint.scan import Scan

FullLayerData = tuple[Any, dict[str, Any], str]

# Endings that users or napari add; the writers add their own.
_OURS = (".regions.tif", ".skeleton.tif", ".seg.dcm", ".preview.png")
_ENDINGS = (*_OURS, ".tiff", ".tif", ".dcm", ".nii.gz", ".nii", ".png")


_just_saved: list[Image] = []


class NotSaved(BonescintError):
    """The user cancelled."""


class Overwrite(Enum):
    """Answers to the question about existing files."""

    YES = "Replace"
    NO = "Cancel"


def write_tiff(path: str = "", layer_data: Sequence[FullLayerData] = ()) -> list[str]:
    """Save masks as one TIFF file with pixel spacing and views."""
    return _write(Form.TIFF, path, layer_data)


def write_nifti(path: str = "", layer_data: Sequence[FullLayerData] = ()) -> list[str]:
    """Save masks as NIfTI, one file for each view."""
    return _write(Form.NIFTI, path, layer_data)


def write_seg(path: str = "", layer_data: Sequence[FullLayerData] = ()) -> list[str]:
    """Save masks as DICOM SEG; asks for the scan's file if it is not known."""
    return _write(Form.SEG, path, layer_data)


def write_preview(path: str = "", layer_data: Sequence[FullLayerData] = ()) -> list[str]:
    """Save a picture of the scan with its masks."""
    return _write(Form.PICTURE, path, layer_data)


def _write(form: Form, path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    viewer = current_viewer()
    if not path:
        if viewer is not None:
            open_export(viewer, [form])
        return []
    layers = viewer.layers if viewer is not None else []
    # napari passes only the layers' data; their images are found from the layers themselves.
    labels = [
        layer for layer in layers if isinstance(layer, Labels) and any(layer.data is data for data, *_ in layer_data)
    ]
    # Hot spots lie on a scan, too, but are no masks; alone they are left to napari's own writer.
    labels = [layer for layer in labels if layer.metadata.get(KEY) != AID] or labels
    if not labels:
        raise SourceMissing("Labels can be saved only while they and their scan are open in napari.")
    ending = next((ending for ending in _ENDINGS if path.lower().endswith(ending)), "")
    base = Path(path[: len(path) - len(ending)])
    try:
        mask, images = layers_to_mask(layers, labels)
    except NotOneScan:
        if form is Form.TIFF and ending not in _OURS and len(layer_data) == 1:
            return _hand_on(path if ending else f"{path}.tif", layer_data)
        raise
    for warning in shear_warnings(images):
        show_warning(warning)
    if form is Form.SEG:
        mask = replace(mask, scan=replace(mask.scan, sources=_sources(mask.scan, images)))
    files = {base.name + ending: content for ending, content in ENCODERS[form](mask).items()}
    existing = [name for name in files if base.with_name(name) != Path(path) and base.with_name(name).exists()]
    if existing and _ask_to_replace(existing) is Overwrite.NO:
        raise NotSaved("Nothing was saved.")
    written = write_files_atomically(base.parent, files)
    _tell_missing_soon(images)
    return [str(file) for file in written]


def _hand_on(path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    """Save labels that lie on no scan as napari does without this plugin."""
    # npe2 compares beginnings of names; without the dot this plugin is meant, too.
    return npe2.write(path, list(layer_data), plugin_name="napari.")


def _ask_to_replace(existing: Sequence[str]) -> Overwrite:
    text = f"{counted(len(existing), 'file')} would be replaced."
    return ask(main_window(), "Save layers", text, "\n".join(existing), Overwrite)


def _tell_missing_soon(images: Sequence[Image]) -> None:
    """Say which views of the scan were not saved; later, because napari saves to a folder layer by layer."""
    if not _just_saved:
        QTimer.singleShot(0, _tell_missing)
    _just_saved.extend(images)


def _tell_missing() -> None:
    saved = list(_just_saved)
    _just_saved.clear()
    viewer = current_viewer()
    layers = viewer.layers if viewer is not None else ()
    while saved:
        views = same_scan(layers, saved[0])
        told = [image for image in saved if image is saved[0] or image in views]
        saved = [image for image in saved if image not in told]
        if len(set(told)) < len(views):
            names = " and ".join(facts_of(image).view.name for image in told)
            show_warning(f"Only the {names} view was saved; Export in the panel Segment skeleton saves all views.")


def _sources(scan: Scan, images: Iterable[Image]) -> tuple[Path, ...]:
    """The files of a scan: those that it was opened from, or those that the user chooses."""
    opened = {path for image in images if (path := file_of(image)) is not None}
    found = find_sources(scan, sorted(opened))
    if not found:
        named, _ = QFileDialog.getOpenFileNames(None, "Which DICOM file is this scan from? (of two, both)")
        found = find_sources(scan, map(Path, named))
    if not found:
        raise SourceMissing("Nothing was saved: DICOM SEG needs the DICOM file of the scan, which was not found.")
    return found
