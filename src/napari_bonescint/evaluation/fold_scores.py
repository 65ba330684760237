"""Scores from cross-validation: each patient is scored by the training of a fold that had not seen the patient.

The file NAME.folds.json lies beside the weights NAME.safetensors, which the same recipe trained on all patients. Keep
it on the computer of the label store, because it holds the store's keys of scans.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from napari_bonescint.evaluation.calibration import BINS, Reliability
from napari_bonescint.evaluation.folds import FoldsError
from napari_bonescint.evaluation.view_scores import ViewScore
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json
from napari_bonescint.scan import ViewName  # noqa: TC001 - `build` looks it up at run time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.corrections.selection import CorrectedScan

_VERSION = 1
_UNKNOWN = Reliability((0,) * BINS, (0.0,) * BINS, (0,) * BINS)


@dataclass(frozen=True)
class ViewDice:
    """Scores of one view, see `ViewScore`."""

    view: ViewName
    skeleton: float
    regions: dict[str, float]
    loss: float


@dataclass(frozen=True)
class ScanScore:
    """Scores of one scan, by the training that had not seen its patient.

    Attributes
    ----------
    case : str
        Key of the case.
    mask_sha256 : str
        Hash of the corrected mask.
    fold : int
        Number of the training, from 1.
    views : list of ViewDice
    """

    case: str
    mask_sha256: str
    fold: int
    views: list[ViewDice]

    @classmethod
    def of(cls, scan: CorrectedScan, fold: int, views: Sequence[ViewScore]) -> ScanScore:
        """Make the entry of a scan from its scores."""
        found = [ViewDice(each.view, each.skeleton, each.regions, each.loss) for each in views]
        return cls(scan.case, scan.mask_sha256, fold, found)

    def view_scores(self, patient: str) -> list[ViewScore]:
        """The scores in the form of any model's scores; calibration is unknown."""
        return [
            ViewScore(self.case, patient, each.view, each.skeleton, each.regions, each.loss, _UNKNOWN)
            for each in self.views
        ]


@dataclass(frozen=True)
class FoldScores:
    """The scores of one fold or of all folds.

    Attributes
    ----------
    folds : int
        Number of folds.
    steps : int
        Steps of each training; the published weights had the same number.
    about : dict
        For one fold recipe, start and data of its training; for all folds ``weights_sha256``.
    left_out : list of str
        Sentences about scans that were not scored.
    scans : list of ScanScore
    """

    folds: int
    steps: int
    about: dict[str, str]
    left_out: list[str]
    scans: list[ScanScore]

    def write(self, path: Path) -> None:
        """Write the scores as JSON, atomically."""
        text = json.dumps({"version": _VERSION, **asdict(self)}, indent=1)
        write_bytes_atomically(path, (text + "\n").encode())


def read_fold_scores(path: Path) -> FoldScores | None:
    """Read a file of `FoldScores.write`; None if the file does not exist.

    Raises
    ------
    FoldsError
        If the file cannot be read.
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
    """Path of the fold scores that belong to a weights file."""
    return weights.with_suffix(".folds.json")
