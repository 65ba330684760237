"""Which simulated cases are for what: the splits of train/splits.toml."""

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
"""Splits with bodies of their own; others count the bodies of one of these in another way."""

# Keeps the draw of counts apart from the draws of the simulation, which begin with the seed alone.
_COUNTING_STREAM = 1


class SplitError(BonescintError):
    """A case file whose name does not give its seed."""


@dataclass(frozen=True)
class Split:
    """Cases with consecutive seeds, and how their photons are counted.

    Attributes
    ----------
    name : str
    first : int
        Seed of the first case.
    scored : int
        How many cases from there on are scored.
    is_open : bool
        Whether later seeds belong to it too.
    total_counts : (float, float)
        Range of the expected counts of both views together, without urine.
    """

    name: str
    first: int
    scored: int
    is_open: bool
    total_counts: tuple[float, float]

    @property
    def seeds(self) -> range:
        """Seeds of the cases that are scored."""
        return range(self.first, self.first + self.scored)

    def holds(self, seed: int) -> bool:
        """Whether a seed belongs to the split, scored or not."""
        return seed in self.seeds or (self.is_open and seed >= self.first)

    def scan(self, case: Case, seed: int) -> Scan:
        """Count the photons of a case; the seed decides how many there are and where each goes.

        Parameters
        ----------
        case : Case
        seed : int
            The seed that the case was made from.
        """
        rng = np.random.default_rng((seed, _COUNTING_STREAM))
        return case.count(rng, self._draw_total(rng))

    def total(self, seed: int) -> float:
        """How many counts `scan` expects of a case with this seed, without what is excreted."""
        return self._draw_total(np.random.default_rng((seed, _COUNTING_STREAM)))

    def _draw_total(self, rng: np.random.Generator) -> float:
        lowest, highest = np.log(self.total_counts)
        return float(np.exp(rng.uniform(lowest, highest)))


@cache
def read_splits() -> dict[str, Split]:
    """The splits by name, as train/splits.toml gives them."""
    tables = tomllib.loads((shipped_folder("train") / "splits.toml").read_text(encoding="utf-8"))
    return {
        name: Split(name, table["first"], table["scored"], table["open"], tuple(table["total_counts"]))
        for name, table in tables.items()
    }


def split_of(seed: int) -> Split:
    """The split that a seed belongs to, of those that have bodies of their own; counted as the test split if none."""
    splits = [read_splits()[name] for name in SIMULATED_SPLITS]
    return next((split for split in splits if split.holds(seed)), read_splits()["test"])


def case_path(folder: Path, seed: int) -> Path:
    """Where the case of a seed is kept in a folder."""
    return folder / f"case_{seed:06d}.npz"


def seed_of(path: Path) -> int:
    """The seed in the name of a case file.

    Raises
    ------
    SplitError
        If the name holds none.
    """
    found = re.fullmatch(r"case_(\d+)\.npz", path.name)
    if not found:
        raise SplitError(f"{path}: is not named case_SEED.npz, so its seed is unknown; simulate it again.")
    return int(found[1])
