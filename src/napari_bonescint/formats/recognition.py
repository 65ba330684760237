"""Recognise files and folders that may hold planar bone scans or their masks, by a short look inside."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom, read_modality
from napari_bonescint.formats.masks.registry import MASK_ENDINGS
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start

_DICOM_NAMES = (".dcm", ".dicom", ".ima")
_NIFTI_NAMES = (".nii", ".nii.gz")
# Segmentations are masks; a file without a modality may be of a gamma camera of long ago.
_MODALITIES = {"NM", "SEG", ""}
_FOLDERS_TO_LOOK_AT, _FILES_A_FOLDER = 40, 5


def may_be_scan_or_mask(path: Path) -> bool:
    """Whether a file or folder may be, or hold, a bone scan in DICOM; or whether a file may be the mask of one.

    Neither pixels nor a whole header are read. Of a folder, some files of its first folders are looked at. A file that
    has a DICOM name and is damaged, encrypted or no DICOM counts as a scan: the reader then says why it is refused.
    """
    try:
        if path.is_dir():
            return _holds_scan(path)
        if path.name.lower().endswith(_NIFTI_NAMES):
            from napari_bonescint.formats.masks.nifti import is_planar_nifti  # nibabel is large

            return is_planar_nifti(path)
        if path.name.lower().endswith(MASK_ENDINGS):
            return path.is_file()
        return _may_be_dicom_scan(path)
    except (OSError, Refusal):
        return False


def _may_be_dicom_scan(path: Path) -> bool:
    try:
        start = read_start(path)
    except NotAPlanarScan:  # empty, or no regular file
        return False
    if not looks_like_dicom(start):
        return is_encrypted(start) or path.name.lower().endswith(_DICOM_NAMES)
    try:
        return read_modality(path) in _MODALITIES
    except Refusal:
        return True


def _holds_scan(folder: Path) -> bool:
    for parent, folders, names in islice(os.walk(folder), _FOLDERS_TO_LOOK_AT):
        folders.sort()
        names.sort()
        # Spread over the folder, since an export may mix series.
        for name in names[:: max(1, len(names) // _FILES_A_FOLDER)]:
            if _may_be_dicom_scan(Path(parent, name)):
                return True
    return False
