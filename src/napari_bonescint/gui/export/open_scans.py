"""The open scans that can be exported, with the masks on them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_bonescint.archive.receiving.private_folder import is_private
from napari_bonescint.formats.export import Export
from napari_bonescint.gui.layers.labels import all_labels_of, names_regions_of
from napari_bonescint.gui.layers.masks import layers_to_mask
from napari_bonescint.gui.layers.scans import can_be_scan, facts_of, group_by_scan, layers_to_scan
from napari_bonescint.gui.sample_files import file_of_sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Labels, Layer

    from napari_bonescint.scan import Scan

_PICTURES = {".png", ".tif", ".tiff"}
_NOT_IN_NAMES = re.compile(r"[^\w .,()+-]")


@dataclass(frozen=True)
class MaskLayers:
    """One labels layer for each view that has a mask; `bare` are the images of the other views."""

    labels: tuple[Labels, ...]
    bare: tuple[Image, ...]

    @property
    def title(self) -> str:
        """The names of the layers."""
        return " + ".join(layer.name for layer in self.labels)


@dataclass(frozen=True)
class OpenScan:
    """The image layers of one scan, and its masks, the uppermost first."""

    images: tuple[Image, ...]
    masks: tuple[MaskLayers, ...]

    @property
    def title(self) -> str:
        """The names of the layers."""
        return " + ".join(image.name for image in self.images)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the layers were opened from, if they are known."""
        found = [file_of(image) for image in self.images]
        return tuple(dict.fromkeys(path for path in found if path is not None))

    @property
    def folder(self) -> Path | None:
        """The folder of the scan's file; None if it was opened from no file, from an archive, or is a sample."""
        paths = [Path(image.source.path) for image in self.images if image.source.path]
        # What archives send lies where it is deleted when napari closes; nothing of the user's belongs there.
        paths = [path for path in paths if not is_private(path)]
        # napari notes the folder for scans that were opened with it.
        return next((path if path.is_dir() else path.parent for path in paths), None)

    @property
    def name(self) -> str:
        """A name for files: that of the layers without the view; never the patient's."""
        first = self.images[0]
        title = first.name.removesuffix(facts_of(first).view.name)
        return _NOT_IN_NAMES.sub("_", title).strip(" .,:-·_") or "scan"

    @property
    def may_be_dicom(self) -> bool:
        """Whether the scan may have been opened from a DICOM file."""
        pictures = [path.suffix.lower() in _PICTURES for path in self.files]
        return bool(facts_of(self.images[0]).scan.source_sha256) and not (pictures and all(pictures))


def open_scans(layers: Any) -> list[OpenScan]:
    """The scans of a layer list, in its order."""
    images = [layer for layer in layers if can_be_scan(layer)]
    return [OpenScan(group, _masks_on(layers, group)) for group in group_by_scan(images)]


def scan_of(scans: Sequence[OpenScan], layer: Layer | None) -> OpenScan | None:
    """The scan that a layer shows or lies on; None if there is none."""
    return next((scan for scan in scans if layer in scan.images or mask_of(scan, layer) is not None), None)


def mask_of(scan: OpenScan, layer: Layer | None) -> MaskLayers | None:
    """The mask of a scan that a layer belongs to; None if there is none."""
    return next((mask for mask in scan.masks if layer in mask.labels), None)


def to_export(layers: Any, scan: OpenScan, mask: MaskLayers | None) -> Export:
    """Copy a scan and one of its masks from their layers.

    Raises
    ------
    Refusal
        If the pixels cannot be counts.
    NotOneScan, UnmappedLabels
        If the layers are no mask of the scan.
    """
    found = layers_to_mask(layers, mask.labels)[0] if mask is not None else None
    return Export(layers_to_scan(scan.images), found)


def with_sources(export: Export, sources: tuple[Path, ...]) -> Export:
    """The export with the scan's DICOM files, which DICOM SEG needs."""
    mask = export.mask
    if mask is None:
        return export
    scan: Scan = replace(mask.scan, sources=sources)
    return replace(export, mask=replace(mask, scan=scan))


def file_of(image: Image) -> Path | None:
    """The file or folder that a layer was opened from; None if it is not known."""
    if image.source.path:
        return Path(image.source.path)
    return file_of_sample(image.source.sample)


def _masks_on(layers: Any, images: Sequence[Image]) -> tuple[MaskLayers, ...]:
    """The masks on the views of a scan: labels of one kind, counted on each view from the uppermost layer."""
    found = []
    on_views = [all_labels_of(layers, image)[::-1] for image in images]
    for named in (True, False):
        columns = [[labels for labels in on_view if names_regions_of(labels) is named] for on_view in on_views]
        for row in zip_longest(*columns):
            bare = tuple(image for image, labels in zip(images, row, strict=True) if labels is None)
            found.append(MaskLayers(tuple(labels for labels in row if labels is not None), bare))
    # napari's list begins with the lowest layer.
    return tuple(sorted(found, key=lambda mask: -max(map(layers.index, mask.labels))))
