"""Encode a scan and its masks in the formats that a user ticks."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.names import is_file_name
from napari_bonescint.formats.masks.nifti import encode_counts_nifti
from napari_bonescint.formats.masks.preview import encode_preview
from napari_bonescint.formats.masks.registry import ENCODERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.formats.masks.registry import Files, MaskOfScan
    from napari_bonescint.scan import Scan


class Form(StrEnum):
    """Formats of an export."""

    SEG = "seg"
    NIFTI = "nifti"
    COUNTS = "counts"
    """The image itself as NIfTI, one file for each view."""
    TIFF = "tiff"
    PICTURE = "png"

    @property
    def needs_mask(self) -> bool:
        """Whether there is nothing to export without a mask."""
        return self in (Form.SEG, Form.NIFTI, Form.TIFF)


class NotAName(BonescintError):
    """A text that is no name of files."""


@dataclass(frozen=True)
class Export:
    """A scan, and its mask if it has one; the mask may cover only some of the scan's views."""

    scan: Scan
    mask: MaskOfScan | None


def encode(export: Export, forms: Iterable[Form], name: str) -> Files:
    """Encode an export as files, by their names, which begin with `name`.

    Raises
    ------
    NotAName
        If `name` is no name of a file.
    SourceMissing
        If DICOM SEG is wanted and the scan of the mask has no DICOM file as its source.
    """
    if not is_file_name(name):
        raise NotAName(f"{name!r} is no name of a file; use letters, digits, spaces, dots and hyphens.")
    files: Files = {}
    for form in forms:
        if form is Form.COUNTS:
            files |= _encode_counts(export.scan)
        elif form is Form.PICTURE:
            files |= _encode_picture(export)
        elif export.mask is not None:
            files |= ENCODERS[form](export.mask)
    return {name + ending: content for ending, content in files.items()}


def _encode_counts(scan: Scan) -> Files:
    return {
        f".{view.name}.counts.nii.gz": gzip.compress(encode_counts_nifti(counts, view, scan.spacing), mtime=0)
        for counts, view in zip(scan.counts, scan.views, strict=True)
    }


def _encode_picture(export: Export) -> Files:
    """Encode a picture of all views, also of those without a mask."""
    scan, mask = export.scan, export.mask
    planes = {} if mask is None else dict(zip((view.name for view in mask.scan.views), mask.regions, strict=True))
    none = np.zeros(scan.counts.shape[1:], np.uint8)
    regions = np.stack([planes.get(view.name, none) for view in scan.views])
    return {".preview.png": encode_preview(scan, regions, names_regions=mask is None or mask.names_regions)}
