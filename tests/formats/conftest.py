"""Fixtures for files on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dicom_files import ANTERIOR, PEAK, POSTERIOR, nm_dataset, save, some_counts
from pydicom.uid import ExplicitVRLittleEndian

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def write_nm(tmp_path: Path) -> Callable[..., Path]:
    """Write a whole-body scan, changed as wanted, and return its path."""

    def write(name="scan.dcm", counts=None, views=(ANTERIOR, POSTERIOR), windows=(PEAK,), syntax=None, **attributes):
        counts = some_counts(len(views) * len(windows)) if counts is None else counts
        ds = nm_dataset(counts, views, windows)
        for keyword, value in attributes.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return save(ds, path, syntax or ExplicitVRLittleEndian)

    return write
