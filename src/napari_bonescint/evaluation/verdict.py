"""The verdict of a comparison between new weights and those in use, stored in a folder.

DIR/verdict.json    the verdict
DIR/report.html     the verdict as a page for a browser, with the pictures
DIR/NAME.jpg        the pictures
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.files.names import inside

if TYPE_CHECKING:
    from pathlib import Path

VERDICT_FILE = "verdict.json"
SKELETON = "skeleton"
"""Name for all regions together, among scores by region."""
_VERSION = 1


class VerdictError(BonescintError):
    """A verdict that cannot be given, or a folder without a verdict."""


class Recommendation(StrEnum):
    """Use the new weights, keep the present ones, or undecided."""

    USE = "use"
    KEEP = "keep"
    CANNOT_TELL = "cannot tell"


class SetKind(StrEnum):
    """The kind of scans that models are compared on."""

    CORRECTED = "corrected"
    SIMULATED = "simulated"


@dataclass(frozen=True)
class ComparedModel:
    """One of the two models, with its name and hash from its card."""

    name: str
    weights_sha256: str

    def __str__(self) -> str:
        """The name and the start of the hash, because several models may have one name."""
        return f"{self.name} ({self.weights_sha256[:8]})"


@dataclass(frozen=True)
class Row:
    """Both models' Dice of one region on one set.

    Attributes
    ----------
    set : SetKind
    region : str
        ``skeleton``, ``regions`` for the mean over the regions of a view, or the name of a region.
    label : str
        The region's name for the user.
    patients, views : int
        Numbers of patients and views that show it.
    current, new : float
        Mean over patients of the mean over a patient's views.
    difference : float
        New minus current.
    low, high : float or None
        The 95 % confidence interval of the difference; None for a single patient.
    """

    set: SetKind
    region: str
    label: str
    patients: int
    views: int
    current: float
    new: float
    difference: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class VerdictPicture:
    """A picture of a verdict: its file's name in the folder, and its caption."""

    file: str
    caption: str


@dataclass(frozen=True)
class Verdict:
    """The comparison of two models, with a recommendation.

    Attributes
    ----------
    current, new : ComparedModel
    recommendation : Recommendation
    sentences : tuple of str
        For the user: the recommendation first, then reasons, then notes.
    rule : str
        The rule that decided.
    rows : tuple of Row
    pictures : tuple of VerdictPicture
    """

    current: ComparedModel
    new: ComparedModel
    recommendation: Recommendation
    sentences: tuple[str, ...]
    rule: str
    rows: tuple[Row, ...]
    pictures: tuple[VerdictPicture, ...]

    def files(self) -> dict[str, bytes]:
        """The file for `read_verdict`, by name."""
        text = json.dumps({"version": _VERSION, **dataclasses.asdict(self)}, indent=1, ensure_ascii=False)
        return {VERDICT_FILE: (text + "\n").encode()}


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict in a folder.

    Raises
    ------
    VerdictError
        If the verdict is missing or cannot be read.
    """
    path = folder / VERDICT_FILE
    with one_sentence(
        lambda reason: VerdictError(f"{path}: is not a verdict of this version ({reason})."),
        unreadable=lambda reason: VerdictError(f"{path}: cannot be read: {reason}."),
    ):
        facts = read_json(path)
        if not isinstance(facts, dict) or facts.pop("version", None) != _VERSION:
            raise FactError("another version")
        verdict = build(Verdict, facts)
        for picture in verdict.pictures:
            inside(folder, picture.file)
        return verdict
