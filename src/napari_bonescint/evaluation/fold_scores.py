"""What the trainings of all folds scored on patients whom they had not seen.

It lies beside the weights that the same recipe made of all patients, as NAME.folds.json, and stays with them on the
computer of the label store: it names scans by their keys there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.evaluation.calibration import BINS, Reliability
from napari_bonescint.evaluation.folds import FoldsError
from napari_bonescint.evaluation.view_scores import ViewScore
from napari_bonescint.facts import FactError, build, one_sentence, read_json
from napari_bonescint.scan import ViewName  # noqa: TC001 - `build` looks it up at run time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.corrections.selection import CorrectedScan

_VERSION = 1
_UNKNOWN = Reliability((0,) * BINS, (0.0,) * BINS, (0,) * BINS)


@dataclass(frozen=True)
class ViewDice:
    """How well a view was segmented, see `ViewScore`."""

    view: ViewName
    skeleton: float
    regions: dict[str, float]
    loss: float


@dataclass(frozen=True)
class ScanScore:
    """How well a scan was segmented by the training that had not seen its patient.

    Attributes
    ----------
    case : str
        Key of the case.
    mask_sha256 : str
        Of the mask that it was compared with.
    fold : int
        Which of the trainings, from 1.
    views : list of ViewDice
    """

    case: str
    mask_sha256: str
    fold: int
    views: list[ViewDice]

    @classmethod
    def of(cls, scan: CorrectedScan, fold: int, views: Sequence[ViewScore]) -> ScanScore:
        """The score of a scan."""
        found = [ViewDice(each.view, each.skeleton, each.regions, each.loss) for each in views]
        return cls(scan.case, scan.mask_sha256, fold, found)

    def view_scores(self, patient: str) -> list[ViewScore]:
        """The same as any model's; nothing is known of its calibration."""
        return [
            ViewScore(self.case, patient, each.view, each.skeleton, each.regions, each.loss, _UNKNOWN)
            for each in self.views
        ]


@dataclass(frozen=True)
class FoldScores:
    """The scores of some folds.

    Attributes
    ----------
    folds : int
        How many there are in all.
    steps : int
        How many each training took, like the one whose weights are published.
    about : dict
        Of what they are: recipe, start and material for those of one fold, ``weights_sha256`` for those of all.
    left_out : list of str
        Sentences on what was not scored.
    scans : list of ScanScore
    """

    folds: int
    steps: int
    about: dict[str, str]
    left_out: list[str]
    scans: list[ScanScore]

    def write(self, path: Path) -> None:
        """Write them as JSON, whole or not at all."""
        text = json.dumps({"version": _VERSION, **asdict(self)}, indent=1)
        write_bytes_atomically(path, (text + "\n").encode())


def read_fold_scores(path: Path) -> FoldScores | None:
    """Read what `FoldScores.write` wrote; None if there is no such file.

    Raises
    ------
    FoldsError
        If it cannot be read.
    """
    if not path.exists():
        return None
    with one_sentence(
        lambda reason: FoldsError(f"{path}: holds no scores of folds of this version ({reason}); delete it."),
        unreadable=lambda reason: FoldsError(f"{path}: cannot be read: {reason}."),
    ):
        facts = read_json(path)
        if not isinstance(facts, dict) or facts.pop("version", None) != _VERSION:
            raise FactError("another version")
        return build(FoldScores, facts)


def folds_file(weights: Path) -> Path:
    """Where the scores of the folds lie that belong to a weights file."""
    return weights.with_suffix(".folds.json")
