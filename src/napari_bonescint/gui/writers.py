"""Save masks from napari with File > Save Selected Layers, for labels on the views of one scan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari import current_viewer
from napari.layers import Labels
from napari.utils.notifications import show_warning
from qtpy.QtWidgets import QFileDialog

from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.masks.registry import WRITERS
from napari_bonescint.formats.opening import collect
from napari_bonescint.gui.layers.masks import layers_to_mask
from napari_bonescint.gui.layers.scans import shear_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Image

    from napari_bonescint.scan import Scan

FullLayerData = tuple[Any, dict[str, Any], str]

# Endings that users or napari add; the writers add their own.
_ENDINGS = (".regions.tif", ".skeleton.tif", ".tif", ".seg.dcm", ".dcm", ".nii.gz", ".nii", ".preview.png", ".png")


def write_tiff(path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    """Save masks as one TIFF file with pixel spacing and views."""
    return _write("tiff", path, layer_data)


def write_nifti(path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    """Save masks as NIfTI, one file for each view."""
    return _write("nifti", path, layer_data)


def write_seg(path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    """Save masks as DICOM SEG; asks for the scan's file if it is not known."""
    return _write("seg", path, layer_data)


def write_preview(path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    """Save a picture of the scan with its masks."""
    return _write("png", path, layer_data)


def _write(form: str, path: str, layer_data: Sequence[FullLayerData]) -> list[str]:
    viewer = current_viewer()
    layers = viewer.layers if viewer is not None else []
    # napari passes only the layers' data; their images are found from the layers themselves.
    labels = [
        layer for layer in layers if isinstance(layer, Labels) and any(layer.data is data for data, *_ in layer_data)
    ]
    if not labels:
        raise SourceMissing("Labels can be saved only while they and their scan are open in napari.")
    mask, images = layers_to_mask(layers, labels)
    for warning in shear_warnings(images):
        show_warning(warning)
    if form == "seg":
        mask = replace(mask, scan=replace(mask.scan, sources=_sources(mask.scan, images)))
    ending = next((ending for ending in _ENDINGS if path.lower().endswith(ending)), "")
    base = Path(path[: len(path) - len(ending)])
    return [str(written) for written in WRITERS[form](base, mask)]


def _sources(scan: Scan, images: Iterable[Image]) -> tuple[Path, ...]:
    """The files of a scan: those that it was opened from, or those that the user chooses."""
    opened = {Path(image.source.path) for image in images if image.source.path}
    found = _matching(scan, sorted(opened))
    if not found:
        named, _ = QFileDialog.getOpenFileNames(None, "Which DICOM file is this scan from? (of two, both)")
        found = _matching(scan, map(Path, named))
    if not found:
        raise SourceMissing("Nothing was saved: DICOM SEG needs the DICOM file of the scan, which was not found.")
    return found


def _matching(scan: Scan, paths: Iterable[Path]) -> tuple[Path, ...]:
    if not scan.source_sha256:
        return ()
    return next(
        (source.paths for source in collect(paths).sources if source.open().source_sha256 == scan.source_sha256), ()
    )
