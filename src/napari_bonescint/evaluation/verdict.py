"""Whether new weights are better than the ones in use: what was found, kept in a folder.

DIR/verdict.json    the verdict
DIR/report.html     the same for a browser, with the pictures in it
DIR/NAME.jpg        its pictures
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.facts import FactError, build, one_sentence, read_json
from napari_bonescint.file_names import inside

if TYPE_CHECKING:
    from pathlib import Path

VERDICT_FILE = "verdict.json"
SKELETON = "skeleton"
"""Stands for all regions together where scores are kept by region."""
_VERSION = 1


class VerdictError(BonescintError):
    """A verdict that cannot be given, or a folder without one."""


class Recommendation(StrEnum):
    """What to do with new weights."""

    USE = "use"
    KEEP = "keep"
    CANNOT_TELL = "cannot tell"


class SetKind(StrEnum):
    """On what models are compared."""

    CORRECTED = "corrected"
    SIMULATED = "simulated"


@dataclass(frozen=True)
class Contestant:
    """One of the two models.

    Attributes
    ----------
    name, weights_sha256 : str
        As on its card.
    """

    name: str
    weights_sha256: str

    def __str__(self) -> str:
        """The name, and how the hash begins, since names recur."""
        return f"{self.name} ({self.weights_sha256[:8]})"


@dataclass(frozen=True)
class Row:
    """What became of the Dice score of one region on one set.

    Attributes
    ----------
    set : SetKind
    region : str
        ``skeleton``, ``regions`` for the mean over the regions of a view, or the name of a region.
    label : str
        The same for people.
    patients, views : int
        How many show it.
    current, new : float
        Mean over patients of the mean over a patient's views.
    difference : float
        New less current.
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
    """A picture of a verdict.

    Attributes
    ----------
    file : str
        Name within the folder.
    caption : str
    """

    file: str
    caption: str


@dataclass(frozen=True)
class Verdict:
    """How two models compare, and what to do.

    Attributes
    ----------
    current, new : Contestant
    recommendation : Recommendation
    sentences : tuple of str
        For the user: first what is recommended, then why, then what to bear in mind.
    rule : str
        By which it was decided.
    rows : tuple of Row
    pictures : tuple of VerdictPicture
    """

    current: Contestant
    new: Contestant
    recommendation: Recommendation
    sentences: tuple[str, ...]
    rule: str
    rows: tuple[Row, ...]
    pictures: tuple[VerdictPicture, ...]

    def files(self) -> dict[str, bytes]:
        """The file that `read_verdict` reads."""
        text = json.dumps({"version": _VERSION, **dataclasses.asdict(self)}, indent=1, ensure_ascii=False)
        return {VERDICT_FILE: (text + "\n").encode()}


def read_verdict(folder: Path) -> Verdict:
    """Read the verdict in a folder.

    Raises
    ------
    VerdictError
        If there is none, or it cannot be read.
    """
    path = folder / VERDICT_FILE
    with one_sentence(
        lambda reason: VerdictError(f"{path}: is no verdict of this version ({reason})."),
        unreadable=lambda reason: VerdictError(f"{path}: cannot be read: {reason}."),
    ):
        facts = read_json(path)
        if not isinstance(facts, dict) or facts.pop("version", None) != _VERSION:
            raise FactError("another version")
        verdict = build(Verdict, facts)
        for picture in verdict.pictures:
            inside(folder, picture.file)
        return verdict
