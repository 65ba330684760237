"""What tests of `bonescint measure` measure, and what it wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.segmenting import Ended
from dicom_files import some_counts
from napari_bonescint.anatomy import CODES

if TYPE_CHECKING:
    from numpy.typing import NDArray

Measure = Callable[..., Ended]
WriteScan = Callable[..., Path]

HOT = (20, 10)


def counts(views: int = 2) -> NDArray[np.uint16]:
    """A bright trunk of 64 x 32 pixels with a hot spot of 3 x 3 pixels at `HOT`."""
    found = 40 + some_counts(1)[0] % 5
    found[HOT[0] - 1 : HOT[0] + 2, HOT[1] - 1 : HOT[1] + 2] = 400
    return np.stack([found] * views).astype(np.uint16)


def regions(views: int = 2) -> NDArray[np.uint8]:
    """Thoracic spine at the top, pelvis below, around the middle of the image."""
    codes = np.zeros((views, 64, 32), np.uint8)
    codes[:, 5:30, 6:26] = CODES["thoracic_spine"]
    codes[:, 30:60, 6:26] = CODES["pelvis"]
    return codes


def facts_of(folder: Path, stem: str = "scan") -> dict[str, Any]:
    return json.loads((folder / f"{stem}.measures.json").read_text(encoding="utf-8"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
