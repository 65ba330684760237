"""Errors that tell why a file was not read, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.text.plain_output import sentence

if TYPE_CHECKING:
    from pathlib import Path


DAMAGED = "The file is damaged or cut off; copy or export it again."

NO_LABELS = "The image is in colour or transparent; a mask has one grey value, or palette index, a region."


class Refusal(BonescintError):
    """A file cannot be read as a scan; `reason` tells the problem and the remedy, without the file's name."""

    def __init__(self, path: Path, reason: str) -> None:
        # Both arguments go to Exception, so that a refusal can be pickled in a worker process.
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return sentence(f"{self.path.name or self.path}: {self.reason}")


class NotAPlanarScan(Refusal):
    """A file is no planar bone scan at all, such as a CT slice; exported folders hold many."""


def sentence_of(error: BonescintError) -> str:
    """The message of an error, for a refusal with the folders: in an export all files may have the same name."""
    return sentence(f"{error.path}: {error.reason}") if isinstance(error, Refusal) else str(error)
