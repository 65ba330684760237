"""Why a file was not read, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.plain_output import sentence

if TYPE_CHECKING:
    from pathlib import Path


DAMAGED = "The file is damaged or cut off; copy or export it again."

NO_LABELS = "The image is in colour or transparent; a mask has one grey value, or palette index, a region."


class Refusal(BonescintError):
    """A file that cannot be read as a scan.

    Attributes
    ----------
    path : Path
        The file.
    reason : str
        What is wrong and what to do about it, without the file's name.
    """

    def __init__(self, path: Path, reason: str) -> None:
        # Both arguments go to Exception, so that a refusal survives the way back from a worker process.
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return sentence(f"{self.path.name or self.path}: {self.reason}")


class NotAPlanarScan(Refusal):
    """A file that is no planar bone scan at all, such as a CT slice; a folder of an export is full of these."""


def sentence_of(error: BonescintError) -> str:
    """What to print about an error: a refusal leaves the folders out, and in an export all files may be named alike."""
    return sentence(f"{error.path}: {error.reason}") if isinstance(error, Refusal) else str(error)
