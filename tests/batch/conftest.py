from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dicom_files import some_counts
from napari_bonescint.batch.job import Job
from napari_bonescint.batch.segmenting import Segmenting
from napari_bonescint.formats.opening import ScanSource
from napari_bonescint.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def work(make_model) -> Segmenting:
    return Segmenting(make_model(), "cpu", {}, run="this one")


@pytest.fixture
def jobs(write_nm: Callable[..., Path], tmp_path: Path) -> Callable[[int], list[Job]]:
    """Makes jobs for so many different scans, numbered from 0."""

    def make(count: int) -> list[Job]:
        paths = [write_nm(f"in/{number}.dcm", counts=some_counts(2) + number) for number in range(count)]
        return [
            Job(number, ScanSource((path,), path), Result(tmp_path / "out", path.stem))
            for number, path in enumerate(paths)
        ]

    return make
