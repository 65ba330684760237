"""Splits of simulated cases into training, validation and test (train/splits.toml)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.resources import shipped_folder

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan
    from napari_bonescint.simulation.case import Case

SIMULATED_SPLITS = ("training", "validation", "test")
"""Splits of patients as they come; a model that segments is scored on each."""

LESION_SPLIT = "lesions"
"""The split for hot spots and the bone scan index; half of its patients have metastases."""

SPLITS_OF_BODIES = (*SIMULATED_SPLITS, LESION_SPLIT)
"""Splits with their own bodies; other splits count the bodies of one of these in another way."""

# A random stream for counting, apart from the simulation's streams, which begin with the seed alone.
_COUNTING_STREAM = 1
_METASTASES_STREAM = 6


class SplitError(BonescintError):
    """The name of a case file contains no seed."""


@dataclass(frozen=True)
class Split:
    """Cases with consecutive seeds from `first`, of which `scored` are scored, and the number of their counts.

    `is_open` tells whether later seeds belong to the split, too. `total_counts` is the range of the expected counts of
    both views together, without urine. `metastases` is the range of the number of metastases of each second patient,
    while the others have none; None if the number is drawn like all else.
    """

    name: str
    first: int
    scored: int
    is_open: bool
    total_counts: tuple[float, float]
    metastases: tuple[int, int] | None = None

    @property
    def seeds(self) -> range:
        """Seeds of the cases that are scored."""
        return range(self.first, self.first + self.scored)

    def holds(self, seed: int) -> bool:
        """True if a seed belongs to the split, scored or not."""
        return seed in self.seeds or (self.is_open and seed >= self.first)

    def scan(self, case: Case, seed: int) -> Scan:
        """Count the photons of a case that was simulated with a seed; the seed determines the result."""
        rng = np.random.default_rng((seed, _COUNTING_STREAM))
        return case.count(rng, self._draw_total(rng))

    def total(self, seed: int) -> float:
        """Expected counts of the scan of a case with this seed, without excreted tracer."""
        return self._draw_total(np.random.default_rng((seed, _COUNTING_STREAM)))

    def metastases_of(self, seed: int) -> int | None:
        """Number of metastases to simulate for a seed: 0 for even ones; None if the simulation draws it."""
        if self.metastases is None:
            return None
        lowest, highest = np.log(self.metastases)
        drawn = np.exp(np.random.default_rng((seed, _METASTASES_STREAM)).uniform(lowest, highest))
        return round(float(drawn)) if seed % 2 else 0

    def _draw_total(self, rng: np.random.Generator) -> float:
        lowest, highest = np.log(self.total_counts)
        return float(np.exp(rng.uniform(lowest, highest)))


@cache
def read_splits() -> dict[str, Split]:
    """The splits in train/splits.toml, by name."""
    tables = tomllib.loads((shipped_folder("train") / "splits.toml").read_text(encoding="utf-8"))
    return {
        name: Split(
            name,
            table["first"],
            table["scored"],
            table["open"],
            tuple(table["total_counts"]),
            tuple(table["metastases"]) if "metastases" in table else None,
        )
        for name, table in tables.items()
    }


def split_of(seed: int) -> Split:
    """The split with its own bodies that a seed belongs to; the test split for all other seeds."""
    splits = [read_splits()[name] for name in SPLITS_OF_BODIES]
    return next((split for split in splits if split.holds(seed)), read_splits()["test"])


def case_path(folder: Path, seed: int) -> Path:
    """The path of a seed's case in a folder."""
    return folder / f"case_{seed:06d}.npz"


def seed_of(path: Path) -> int:
    """The seed in the name of a case file; `SplitError` if there is none."""
    found = re.fullmatch(r"case_(\d+)\.npz", path.name)
    if not found:
        raise SplitError(f"{path}: is not named case_SEED.npz, so its seed is unknown; simulate it again.")
    return int(found[1])
