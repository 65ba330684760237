"""Results of scans, to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.formats.masks.dicom_seg import Author, write_dicom_seg
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from pathlib import Path


def seg_of(scan_file: Path, path: Path) -> Path:
    """A mask of a scan as DICOM SEG."""
    scan = open_scan(scan_file)
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:60, 20:28] = 3
    write_dicom_seg(path, scan, regions, author=Author("tests"))
    return path
