"""What corrections are worth: scores before and after training on some, and how sure the difference is."""

from __future__ import annotations

import json
import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.facts import build, one_sentence, read_json
from napari_bonescint.text import markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_NAME = "learning_curve.json"
_RESAMPLES = 10_000


class LearningCurveError(BonescintError):
    """A file that holds no learning curve."""


@dataclass(frozen=True)
class CurvePoint:
    """One training.

    Attributes
    ----------
    method : str
        How was trained, such as ``fine-tuning``.
    corrections : int
        On how many corrected scans.
    there, original : list of float
        Dice of each held-out scan of the new domain, and of each scan of the original test: mean over its views.
    """

    method: str
    corrections: int
    there: list[float]
    original: list[float]


@dataclass(frozen=True)
class LearningCurve:
    """Trainings against the model that they began from.

    Attributes
    ----------
    model : str
        Name of that model.
    weights_sha256 : str
        Hash of its weights.
    domain : str
        What the new domain is, as a phrase.
    training : str
        How long was trained, as a phrase.
    before : CurvePoint
        The model's own scores.
    points : list of CurvePoint
    """

    model: str
    weights_sha256: str
    domain: str
    training: str
    before: CurvePoint
    points: list[CurvePoint]

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_bytes_atomically(path, (json.dumps(asdict(self), indent=1) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> LearningCurve:
        """Read what `write` wrote.

        Raises
        ------
        LearningCurveError
            If the file cannot be read or holds anything else.
        """
        with one_sentence(
            lambda reason: LearningCurveError(f"{path}: holds no learning curve of this version ({reason}).")
        ):
            return build(cls, read_json(path))


def lower_bound(before: Sequence[float], after: Sequence[float]) -> float:
    """The 2.5th percentile of the mean gain of scans: the lower end of its 95 % interval.

    A paired percentile bootstrap over scans, each a patient of its own (Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993, chapter 13). The same scores give the same figure.
    """
    gains = np.asarray(after) - np.asarray(before)
    draws = np.random.default_rng(1).integers(len(gains), size=(_RESAMPLES, len(gains)))
    return float(np.quantile(gains[draws].mean(axis=1), 0.025))


def curve_section(curve: LearningCurve) -> str:
    """Markdown of a learning curve, for train/RESULTS.md."""
    there, original = float(np.mean(curve.before.there)), float(np.mean(curve.before.original))
    rows = [["none", "0", f"{there:.4f}", "–", "–", f"{original:.4f}", "–"]]
    rows += [_row(curve.before, point) for point in curve.points]
    heading = ["training", "corrected scans", "Dice there", "gain", "95 % lower bound", "Dice on the test", "change"]
    story = (
        f"{curve.model} (`{curve.weights_sha256[:12]}`) meets {curve.domain}, and is trained on corrected scans from "
        f"there, whose masks are the truth. {curve.training} The Dice of the skeleton is the mean over "
        f"{len(curve.before.there)} scans from there that no training saw, and over {len(curve.before.original)} scans "
        "of the original test. The lower bound is that of the 95 % interval of the mean gain by a paired bootstrap "
        "over scans."
    )
    return f"""\
## What corrections are worth

{textwrap.fill(story, 120, break_on_hyphens=False)}

{markdown_table(heading, rows)}

To make it again: `python benchmarks/learning_curve.py --help`."""


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
