"""Learning curve: scores of a model before and after training on corrected scans, with confidence bounds."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.files.facts import build, one_sentence, read_json
from napari_bonescint.text.formatting import markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_NAME = "learning_curve.json"
_RESAMPLES = 10_000


class LearningCurveError(BonescintError):
    """A file without a readable learning curve."""


@dataclass(frozen=True)
class CurvePoint:
    """Scores after one training.

    Attributes
    ----------
    method : str
        Method of training, such as ``fine-tuning``.
    corrections : int
        Number of corrected scans in the training.
    there, original : list of float
        Dice of each held-out scan of the new domain, and of each scan of the original test: mean over its views.
    """

    method: str
    corrections: int
    there: list[float]
    original: list[float]


@dataclass(frozen=True)
class LearningCurve:
    """Scores of several trainings, and of the model that they started from.

    Attributes
    ----------
    model : str
        Name of that model.
    weights_sha256 : str
        Hash of its weights.
    domain : str
        Description of the new domain, as a phrase.
    training : str
        Duration of the trainings, as a sentence.
    before : CurvePoint
        Scores of the model itself.
    points : list of CurvePoint
    """

    model: str
    weights_sha256: str
    domain: str
    training: str
    before: CurvePoint
    points: list[CurvePoint]

    def write(self, path: Path) -> None:
        """Write the curve as JSON, atomically."""
        write_bytes_atomically(path, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> LearningCurve:
        """Read a file of `write`.

        Raises
        ------
        LearningCurveError
            If the file cannot be read or holds no learning curve.
        """
        with one_sentence(
            lambda reason: LearningCurveError(f"{path}: holds no learning curve of this version ({reason}).")
        ):
            return build(cls, read_json(path))


def lower_bound(before: Sequence[float], after: Sequence[float]) -> float:
    """The lower bound of the 95 % confidence interval of the mean gain of scans.

    A paired percentile bootstrap over scans, one for each patient (Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993, chapter 13), with fixed random numbers.
    """
    gains = np.asarray(after) - np.asarray(before)
    draws = np.random.default_rng(1).integers(len(gains), size=(_RESAMPLES, len(gains)))
    return float(np.quantile(gains[draws].mean(axis=1), 0.025))


def curve_section(curve: LearningCurve) -> str:
    """The learning curve as a section of train/RESULTS.md, in Markdown."""
    there, original = float(np.mean(curve.before.there)), float(np.mean(curve.before.original))
    rows = [["none", "0", f"{there:.4f}", "–", "–", f"{original:.4f}", "–"]]
    rows += [_row(curve.before, point) for point in curve.points]
    heading = ["training", "corrected scans", "Dice there", "gain", "95 % lower bound", "Dice on the test", "change"]
    story = (
        f"Domain: {curve.domain}. {curve.model} (`{curve.weights_sha256[:12]}`) is trained on corrected scans of this "
        f'domain; their masks are the truth. {curve.training} "Dice there" is the Dice of the skeleton, averaged over '
        f'{len(curve.before.there)} scans of the domain that no training saw; "Dice on the test" is the mean over '
        f"{len(curve.before.original)} scans of the original test. The lower bound belongs to the 95 % interval of the "
        "mean gain, by a paired bootstrap over scans."
    )
    return f"""\
## Gain from corrections

{textwrap.fill(story, 120, break_on_hyphens=False)}

{markdown_table(heading, rows)}

Made by `benchmarks/learning_curve.py`; its `--help` has the steps."""


def _row(before: CurvePoint, point: CurvePoint) -> list[str]:
    there, original = float(np.mean(point.there)), float(np.mean(point.original))
    return [
        point.method,
        str(point.corrections),
        f"{there:.4f}",
        f"{there - float(np.mean(before.there)):+.4f}",
        f"{lower_bound(before.there, point.there):+.4f}",
        f"{original:.4f}",
        f"{original - float(np.mean(before.original)):+.4f}",
    ]
