"""Where training cases come from: simulated files, a simulation beside the training, corrected scans, or both."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from zipfile import BadZipFile

from napari_bonescint.counted_scan import CountedScan
from napari_bonescint.errors import BonescintError
from napari_bonescint.simulation.case import Case, simulate
from napari_bonescint.simulation.pose import load_skeleton
from napari_bonescint.simulation.splits import read_splits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from napari_bonescint.corrections.selection import CorrectedScan

# As many seeds as are ever drawn from; that one comes twice is a matter of tens of thousands of cases.
_SEEDS = 1_000_000_000


class NoCasesError(BonescintError):
    """A source without a single case."""


class UnreadableCaseError(BonescintError):
    """A file of a case that is damaged or gone."""


class CaseSource(Protocol):
    """What training draws its cases from; goes to other processes, so it must be picklable."""

    @property
    def number(self) -> int | None:
        """How many cases there are; None if each draw makes a new one."""

    def draw(self, rng: np.random.Generator) -> Case | CountedScan:
        """A random case; the same state of `rng` gives the same one.

        Raises
        ------
        BonescintError
            If the one that was drawn cannot be read; another one can.
        """

    def sha256(self) -> str | None:
        """Hash of all cases, hexadecimal; None where they are not kept."""


@dataclass(frozen=True)
class SimulatedCaseFiles:
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
        path = self.paths[int(rng.integers(len(self.paths)))]
        try:
            return Case.load(path)
        except (OSError, ValueError, LookupError, BadZipFile, zlib.error) as error:
            raise UnreadableCaseError(f"{path.name}: is damaged or gone; simulate the case again.") from error

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


@dataclass(frozen=True)
class CorrectedCases:
    """Scans that people corrected; each is read when it is drawn, so that memory does not grow with their number.

    Attributes
    ----------
    scans : sequence of CorrectedScan
    data_sha256 : str
        Hash of the selection that they are of, see `selection.Selection`.

    Raises
    ------
    NoCasesError
        If there are none.
    """

    scans: Sequence[CorrectedScan]
    data_sha256: str

    def __post_init__(self) -> None:
        if not self.scans:
            raise NoCasesError(
                "There is no corrected scan to train on: none is reviewed, or all are of patients who are held out or "
                "validate."
            )

    @property
    def number(self) -> int:
        """See `CaseSource`."""
        return len(self.scans)

    def draw(self, rng: np.random.Generator) -> CountedScan:
        """See `CaseSource`."""
        corrected = self.scans[int(rng.integers(len(self.scans)))]
        return CountedScan(*corrected.read(), corrected.names_regions)

    def sha256(self) -> str:
        """See `CaseSource`."""
        return self.data_sha256


@dataclass(frozen=True)
class MixedCases:
    """Corrected scans among simulated cases, so that a network that learns from few scans forgets nothing.

    Attributes
    ----------
    corrected, simulated : CaseSource
    simulated_share : float
        Share of the draws that are simulated, 0 to 1.
    """

    corrected: CaseSource
    simulated: CaseSource
    simulated_share: float

    @property
    def number(self) -> int | None:
        """See `CaseSource`."""
        numbers = self.corrected.number, self.simulated.number
        return None if numbers[0] is None or numbers[1] is None else numbers[0] + numbers[1]

    def draw(self, rng: np.random.Generator) -> Case | CountedScan:
        """See `CaseSource`."""
        return (self.simulated if rng.random() < self.simulated_share else self.corrected).draw(rng)

    def sha256(self) -> str:
        """SHA-256 of that of both."""
        both = f"{self.corrected.sha256()} {self.simulated.sha256()}"
        return hashlib.sha256(both.encode()).hexdigest()
