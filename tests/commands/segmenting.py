"""What `bonescint segment` wrote and said."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from dicom_files import some_counts

if TYPE_CHECKING:
    from pathlib import Path

NOTICE = "Research software, not a medical device: check every mask by eye."


class Ended(NamedTuple):
    status: int
    out: list[str]
    err: list[str]

    @property
    def complaints(self) -> list[str]:
        """What standard error holds, less the doubts that random counts and random weights raise."""
        return [line for line in self.err if not re.search(r": The (anterior|posterior) view ", line)]


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def facts_of(folder: Path, stem: str = "scan") -> dict:
    return json.loads((folder / f"{stem}.json").read_text(encoding="utf-8"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in files_in(folder)}


def write_png(path: Path, width: int = 32) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(some_counts(1, columns=width)[0].astype(np.uint8)).save(path)
    return path
