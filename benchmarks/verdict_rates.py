"""Measure how often the rule of `bonescint judge` finds a gain, with and without a true gain.

    python benchmarks/verdict_rates.py --write docs/judging.md

Each of 10,000 trials draws patients from `seed_spread.json`, which has the differences in Dice between two trainings
with different seeds, for each patient and validation, minus their mean over all patients. So there is no true gain; a
gain is added to all validations except the start. As in a training, the validation patients choose the best validation,
the start included; then the rule is applied to the held-out patients, of whom there are twice as many. At random, one
or the other training is the new one.

With folds, each training of a fold has its own differences from the start, and an additional offset for all of its
patients, as large as the measured one between the two trainings.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.evaluation.acceptance_rule import decide
from napari_bonescint.evaluation.folds import USUAL_FOLDS
from napari_bonescint.evaluation.interval import mean_interval
from napari_bonescint.evaluation.verdict import SKELETON, Recommendation, Row, SetKind
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.text.formatting import markdown_table

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from numpy.typing import NDArray

JUDGED = (5, 7, 12, 20)
IN_FOLDS = (10, 20, 39)
GAINS = (0.0, 0.0025, 0.005, 0.01)
LOOKS = {"quick": 4, "full": 16}
TRIALS = 10_000
_SEED = 1
_FILE = Path(__file__).with_name("seed_spread.json")
_BEGIN, _END = "<!-- made by benchmarks/verdict_rates.py: begin -->", "<!-- end -->"


class Spread(NamedTuple):
    """Differences between two trainings with different seeds.

    Attributes
    ----------
    differences : ndarray of shape (patient, look)
        Dice of the first less that of the second, less the mean over all patients.
    offset : float
        Root mean square over the looks of the mean that was taken away.
    facts : dict
        Of the measurement.
    """

    differences: NDArray[np.float64]
    offset: float
    facts: dict[str, object]

    @classmethod
    def read(cls, path: Path) -> Spread:
        """Read the file of `seed_spread.py`."""
        facts = json.loads(path.read_bytes())
        raw = np.array(facts["first"]) - np.array(facts["second"])
        means = raw.mean(axis=0)
        return cls(raw - means, float(np.sqrt((means**2).mean())), facts)

    @property
    def per_patient(self) -> float:
        """Standard deviation over patients of the differences at the last validation."""
        return float(self.differences[:, -1].std(ddof=1))


def is_found(values: NDArray[np.float64], groups: Sequence[Hashable] | None = None) -> bool:
    """True if the rule recommends weights with these differences from the present ones, patient by patient."""
    low, high = mean_interval(list(values), groups) or (None, None)
    mean = float(values.mean())
    row = Row(SetKind.CORRECTED, SKELETON, SKELETON, len(values), 2 * len(values), 0.9, 0.9 + mean, mean, low, high)
    return decide([row], loses_regions=False).recommendation is Recommendation.USE


def held_out_rate(spread: Spread, judged: int, looks: int, gain: float, trials: int) -> float:
    """Share of trials with a recommendation, for a number of validations and of held-out patients."""
    rng = np.random.default_rng((_SEED, judged, looks, round(gain * 1e6)))
    every = spread.differences.shape[1] // looks
    differences = spread.differences[:, every - 1 :: every]
    validating = max(1, judged // 2)
    found = 0
    for _ in range(trials):
        drawn = differences[rng.integers(len(differences), size=judged + validating)] * rng.choice((-1, 1)) + gain
        chosen = _chosen(drawn[judged:])
        found += chosen is not None and is_found(drawn[:judged, chosen])
    return found / trials


def folds_rate(spread: Spread, patients: int, looks: int, gain: float, trials: int) -> float:
    """Share of trials with a recommendation, if each patient is scored by one of five folds."""
    rng = np.random.default_rng((_SEED, patients, looks, round(gain * 1e6), USUAL_FOLDS))
    every = spread.differences.shape[1] // looks
    differences = spread.differences[:, every - 1 :: every]
    groups = np.arange(patients) % USUAL_FOLDS
    found = 0
    for _ in range(trials):
        values = np.zeros(patients)
        for fold in range(USUAL_FOLDS):
            scored = np.flatnonzero(groups == fold)
            validating = -(-(patients - len(scored)) // 8)
            drawn = differences[rng.integers(len(differences), size=len(scored) + validating)]
            drawn = drawn * rng.choice((-1, 1)) + gain + rng.normal(0, spread.offset)
            chosen = _chosen(drawn[len(scored) :])
            # If no validation is better than the start, the start is scored.
            values[scored] = 0 if chosen is None else drawn[: len(scored), chosen]
        found += is_found(values, list(groups))
    return found / trials


def _chosen(validating: NDArray[np.float64]) -> int | None:
    """The validation with the highest Dice on the validation patients; None if the start is best."""
    means = validating.mean(axis=0)
    best = int(means.argmax())
    return best if means[best] > 0 else None


def tables(spread: Spread, trials: int) -> str:
    """The rates as Markdown."""
    facts = spread.facts
    steps = facts["steps"]
    patients = len(spread.differences)
    story = (
        f"Each figure is the share of {trials:,} simulated comparisons (`benchmarks/verdict_rates.py`). They draw from "
        f"two real trainings (`benchmarks/seed_spread.py`): the recipe `{facts['recipe']}`, trained twice for "
        f"{steps[-1]} steps on the same {facts['corrected_scans']} corrected scans of a simulated hospital, with two "
        f"seeds. On {patients} other patients the mean Dice of the regions of the two differs from patient to patient "
        f"with a standard deviation of {spread.per_patient:.4f}, and in the mean over patients by {spread.offset:.4f}. "
        f"`quick` validates every 100 of these steps; for the {LOOKS['full']} validations of `full` stand those every "
        f"{steps[-1] // LOOKS['full']}. A simulated patient may validate and be held out at once, which no store "
        "allows, so the first table is rather too high than too low."
    )
    judged = ("held-out patients", *map(str, JUDGED))
    parts = [
        _filled(story),
        _filled("**Without any gain**, the lower bound is above zero, and new weights are recommended, in:"),
        markdown_table(judged, _rows(spread, JUDGED, held_out_rate, (0.0,), trials)),
        _filled("**With a true gain**, new weights are recommended in:"),
        markdown_table(judged, _rows(spread, JUDGED, held_out_rate, GAINS[1:], trials)),
        _filled(f"**With `--folds {USUAL_FOLDS}`**, where all patients are scored:"),
        markdown_table(("patients", *map(str, IN_FOLDS)), _rows(spread, IN_FOLDS, folds_rate, GAINS, trials)),
    ]
    return "\n\n".join(parts)


def _rows(
    spread: Spread,
    numbers: Sequence[int],
    rate: Callable[[Spread, int, int, float, int], float],
    gains: Sequence[float],
    trials: int,
) -> list[list[str]]:
    rows = []
    for gain in gains:
        for recipe, looks in LOOKS.items():
            rates = [rate(spread, number, looks, gain, trials) for number in numbers]
            name = f"gain {gain:g}, " if len(gains) > 1 else ""
            rows.append([f"{name}`{recipe}`", *(f"{100 * each:.1f} %" for each in rates)])
            print(*rows[-1], flush=True)
    return rows


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_on_hyphens=False, break_long_words=False)


def main() -> None:
    """Simulate, and write the tables where they belong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=TRIALS, help="for each figure (default: %(default)s)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="page in which the tables are brought up to date")
    options = parser.parse_args()
    spread = Spread.read(_FILE)
    found = tables(spread, options.trials)
    print(found)
    if options.write is not None:
        before, _, rest = options.write.read_text(encoding="utf-8").partition(_BEGIN)
        after = rest.partition(_END)[2]
        write_bytes_atomically(options.write, f"{before}{_BEGIN}\n\n{found}\n\n{_END}{after}".encode())


if __name__ == "__main__":
    main()
