"""Read masks of any format, and write the mask of a scan in one of them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom, read_header
from napari_bonescint.formats.masks.dicom_seg import Author, encode_dicom_seg
from napari_bonescint.formats.masks.dicom_seg_reader import is_dicom_seg, read_dicom_seg
from napari_bonescint.formats.masks.label_png import read_mask_png
from napari_bonescint.formats.masks.label_tiff import encode_mask_tiff, read_mask_tiff
from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.preview import encode_preview
from napari_bonescint.formats.pictures.raster import PNG_START
from napari_bonescint.formats.pictures.tiff_pages import TIFF_START
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.formats.masks.region_mapping import RegionMapping
    from napari_bonescint.scan import Scan

    Files = dict[str, bytes]
    """Contents by ending of the file name."""

_TIFF_ENDINGS = (".regions.tif", ".skeleton.tif")
_NIFTI_ENDINGS = (".nii", ".nii.gz")
MASK_ENDINGS = (*_TIFF_ENDINGS, *_NIFTI_ENDINGS)
"""File name endings of masks, in formats that other images use, too."""


@dataclass(frozen=True)
class MaskOfScan:
    """A mask to write on a scan's pixels, with all facts that a format may hold; DICOM SEG needs the scan's `sources`.

    `regions` (uint8, view, y, x) are region codes if `names_regions`, or 1 for bone.
    """

    scan: Scan
    regions: NDArray[np.uint8]
    names_regions: bool = True
    author: Author = field(default_factory=Author)

    @property
    def mask(self) -> Mask:
        """The mask without author and source files."""
        return Mask(self.regions, self.scan.views, self.scan.spacing, self.names_regions)


@reader
def read_mask(path: Path, mapping: RegionMapping | None = None, scan: Scan | None = None) -> Mask:
    """Read a mask in DICOM SEG, NIfTI, TIFF or PNG, recognised by content.

    `mapping` gives the regions of labels that are not our codes. `scan` is the mask's scan with its `sources`, by which
    the planes of a DICOM SEG are assigned to views. If the file cannot be read, its labels have no region, or it does
    not fit the scan, a `BonescintError` is raised.
    """
    start = read_start(path)
    if looks_like_dicom(start) or is_encrypted(start):
        return read_dicom_seg(path, mapping, scan)
    if path.name.lower().endswith(_NIFTI_ENDINGS):
        from napari_bonescint.formats.masks.nifti import read_mask_nifti  # nibabel is large, and few masks are NIfTI

        return read_mask_nifti(path, mapping)
    if start.startswith(TIFF_START):
        return read_mask_tiff(path, mapping)
    if start.startswith(PNG_START):
        return read_mask_png(path, mapping)
    raise Refusal(path, "The file is no mask in DICOM SEG, NIfTI, TIFF or PNG.")


@reader
def looks_like_mask(path: Path) -> bool:
    """True if a file is a mask, by its name or its DICOM attributes; an unreadable file is a `Refusal`."""
    if path.name.lower().endswith(MASK_ENDINGS):
        return True
    if path.is_dir() or not looks_like_dicom(read_start(path)):
        return False
    return is_dicom_seg(read_header(path))


def _encode_tiff(mask: MaskOfScan) -> Files:
    return {_TIFF_ENDINGS[0 if mask.names_regions else 1]: encode_mask_tiff(mask.mask)}


def _encode_nifti(mask: MaskOfScan) -> Files:
    """Encode one file for each view, since a NIfTI file has one orientation."""
    from napari_bonescint.formats.masks.nifti import encode_mask_nifti

    whole = mask.mask
    files = {}
    for plane, view in zip(mask.regions, mask.scan.views, strict=True):
        content = encode_mask_nifti(Mask(plane[None], (view,), whole.spacing, whole.names_regions))
        files[f".{view.name}{_NIFTI_ENDINGS[1]}"] = gzip.compress(content, mtime=0)
    return files


def _encode_seg(mask: MaskOfScan) -> Files:
    return {".seg.dcm": encode_dicom_seg(mask.scan, mask.regions, names_regions=mask.names_regions, author=mask.author)}


def _encode_preview(mask: MaskOfScan) -> Files:
    return {".preview.png": encode_preview(mask.scan, mask.regions, names_regions=mask.names_regions)}


ENCODERS: Mapping[str, Callable[[MaskOfScan], Files]] = {
    "tiff": _encode_tiff,
    "nifti": _encode_nifti,
    "seg": _encode_seg,
    "png": _encode_preview,
}
"""Functions by format: each encodes a mask as one file or several."""


def _write(encode: Callable[[MaskOfScan], Files], base: Path, mask: MaskOfScan) -> list[Path]:
    files = {base.with_name(base.name + ending): content for ending, content in encode(mask).items()}
    for path, content in files.items():
        write_bytes_atomically(path, content)
    return list(files)


WRITERS: Mapping[str, Callable[[Path, MaskOfScan], list[Path]]] = {
    form: partial(_write, encode) for form, encode in ENCODERS.items()
}
"""Functions by format: each writes a mask to files whose names begin with the given path, and returns their paths."""
