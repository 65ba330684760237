"""Sources of training cases: simulated files, a simulation during training, corrected scans, or a mixture."""

from __future__ import annotations

import hashlib
import lzma
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

# The number of seeds; the first repeated seed is expected after tens of thousands of cases.
_SEEDS = 1_000_000_000


class NoCasesError(BonescintError):
    """A source without cases."""


class UnreadableCaseError(BonescintError):
    """A case file that is damaged or missing."""


class CaseSource(Protocol):
    """A source of training cases. It is sent to other processes, so it must be picklable."""

    @property
    def number(self) -> int | None:
        """Number of cases; None if each draw makes a new case."""

    def draw(self, rng: np.random.Generator) -> Case | CountedScan:
        """Draw a random case; the same state of `rng` gives the same case.

        Raises
        ------
        BonescintError
            If this case cannot be read; the next draw may succeed.
        """

    def sha256(self) -> str | None:
        """Hash of all cases, hexadecimal; None if they are not stored."""


@dataclass(frozen=True)
class SimulatedCaseFiles:
    """Files of `Case.save` or `Case.save_packed`, each read when it is drawn.

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
        except (OSError, ValueError, LookupError, BadZipFile, zlib.error, lzma.LZMAError) as error:
            raise UnreadableCaseError(f"{path.name}: is damaged or missing; simulate the case again.") from error

    def sha256(self) -> str:
        """Hash of the files' hashes, in the order of their names."""
        total = hashlib.sha256()
        for path in sorted(self.paths, key=lambda path: path.name):
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


@dataclass(frozen=True)
class SimulatedStream:
    """A simulation that makes a new case of the training split at each draw, without files.

    A case takes some seconds of a processor core, so several processes must draw to keep the device busy.

    Attributes
    ----------
    geometry : Path
        The bones' geometry, a file of `BonePoints.save`.
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
    """Corrected scans, each read when it is drawn.

    Attributes
    ----------
    scans : sequence of CorrectedScan
    data_sha256 : str
        Hash of their selection, see `selection.Selection`.

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
                "There is no corrected scan to train on: none is reviewed, or all patients are for validation or held "
                "out."
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
    """A mixture of corrected scans and simulated cases, which preserves accuracy on simulated scans.

    Attributes
    ----------
    corrected, simulated : CaseSource
    simulated_share : float
        Share of simulated cases, 0 to 1.
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
        """Hash of both sources' hashes."""
        both = f"{self.corrected.sha256()} {self.simulated.sha256()}"
        return hashlib.sha256(both.encode()).hexdigest()
