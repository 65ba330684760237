"""Where training cases come from: files that were simulated before, or a simulation that runs beside the training."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from napari_bonescint.errors import BonescintError
from napari_bonescint.simulation.case import Case, simulate
from napari_bonescint.simulation.pose import load_skeleton
from napari_bonescint.training.splits import read_splits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

# As many seeds as are ever drawn from; that one comes twice is a matter of tens of thousands of cases.
_SEEDS = 1_000_000_000


class NoCasesError(BonescintError):
    """A source without a single case."""


class CaseSource(Protocol):
    """What training draws its cases from; goes to other processes, so it must be picklable."""

    @property
    def number(self) -> int | None:
        """How many cases there are; None if each draw makes a new one."""

    def draw(self, rng: np.random.Generator) -> Case:
        """A random case; the same state of `rng` gives the same one."""

    def sha256(self) -> str | None:
        """Hash of all cases, hexadecimal; None where they are not kept."""


@dataclass(frozen=True)
class CaseFiles:
    """Files that `bonescint simulate` wrote; memory does not grow with their number.

    Attributes
    ----------
    paths : sequence of Path

    Raises
    ------
    NoCasesError
        If there are none.
    """

    paths: Sequence[Path]

    def __post_init__(self) -> None:
        if not self.paths:
            raise NoCasesError("There are no cases to train on; simulate some first.")

    @property
    def number(self) -> int:
        """See `CaseSource`."""
        return len(self.paths)

    def draw(self, rng: np.random.Generator) -> Case:
        """See `CaseSource`."""
        return Case.load(self.paths[int(rng.integers(len(self.paths)))])

    def sha256(self) -> str:
        """SHA-256 of the files' SHA-256s in the order of their names."""
        total = hashlib.sha256()
        for path in sorted(self.paths, key=lambda path: path.name):
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


@dataclass(frozen=True)
class SimulatedStream:
    """A new case of the training split at each draw, simulated where it is drawn and never written.

    Takes some seconds of a processor core for each case, so as many processes must draw as keep the device busy.

    Attributes
    ----------
    geometry : Path
        The bones' geometry, which `BonePoints.save` wrote.
    """

    geometry: Path

    @property
    def number(self) -> None:
        """See `CaseSource`."""
        return None

    def draw(self, rng: np.random.Generator) -> Case:
        """See `CaseSource`."""
        return simulate(load_skeleton(self.geometry), read_splits()["training"].first + int(rng.integers(_SEEDS)))

    def sha256(self) -> None:
        """See `CaseSource`."""
        return
