"""The data of a training: sources of training cases, and scans for validation."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from napari_bonescint.corrections.selection import Selection
from napari_bonescint.errors import BonescintError
from napari_bonescint.text.formatting import DISCLAIMER
from napari_bonescint.training.data.sources import CorrectedCases, MixedCases

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.corrections.selection import CorrectedScan
    from napari_bonescint.training.data.sources import CaseSource

_SIMULATED_LIMITS = (
    "Trained on simulated scans only, made from one adult skeleton in many sizes, proportions and poses.",
    "Children, amputations and prostheses were few in training, and there were no patients lying on their side.",
    "Scores on simulated scans say little about real ones; look at the overlay.",
)


class TrainingDataError(BonescintError):
    """A training without training data."""


@dataclass(frozen=True)
class TrainingData:
    """The data of a training.

    Attributes
    ----------
    selection : Selection or None
        Corrected scans; None without a label store.
    simulated : CaseSource or None
        Simulated cases for training.
    held_out_cases : tuple of Path
        Simulated cases for validation.

    Raises
    ------
    TrainingDataError
        If there are neither corrected scans nor simulated cases for training.
    """

    selection: Selection | None
    simulated: CaseSource | None
    held_out_cases: tuple[Path, ...]

    def __post_init__(self) -> None:
        if self.selection is None and self.simulated is None:
            raise TrainingDataError("There is no training data; give --store, --cases or --simulate.")

    def source(self, simulated_share: float) -> CaseSource:
        """The source of training cases.

        Parameters
        ----------
        simulated_share : float
            Share of simulated cases, if there are corrected scans, too.

        Raises
        ------
        NoCasesError
            If there is no corrected scan for training.
        """
        if self.selection is None:
            if self.simulated is None:
                raise TrainingDataError("There is no training data.")
            return self.simulated
        corrected = CorrectedCases(self.selection.training, self.selection.sha256)
        return corrected if self.simulated is None else MixedCases(corrected, self.simulated, simulated_share)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The data for training and validation, held-out and left-out scans, for JSON."""
        facts: dict[str, Any] = {}
        if self.selection is not None:
            facts["corrected"] = self.selection.manifest()
        if self.simulated is not None:
            facts["simulated"] = {"cases": self.simulated.number, "sha256": self.simulated.sha256()}
        facts["held_out_cases"] = [path.name for path in self.held_out_cases]
        return facts

    @cached_property
    def sha256(self) -> str:
        """Hash of the manifest, hexadecimal."""
        canonical = json.dumps(self.manifest, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def summary(self) -> dict[str, Any]:
        """Numbers of cases and patients, and the cases left out, for the log."""
        chosen = self.selection or Selection([], [], [], [], [])
        of_store = Counter(scan.store_folder for scan in chosen.training)
        return {
            "used": list(of_store.values()),
            "cases": len(chosen.training) + ((self.simulated.number or 0) if self.simulated else 0),
            "patients": _patients(chosen.training),
            "validation_cases": len(chosen.validation) + len(self.held_out_cases),
            "validation_patients": _patients(chosen.validation) + len(self.held_out_cases),
            "held_out_cases": len(chosen.held_out),
            "held_out_patients": _patients(chosen.held_out),
            "left_out": [{"case": case, "why": why} for case, why in chosen.left_out],
            "sha256": self.sha256,
        }

    @property
    def origin(self) -> str:
        """Description of the training data, as a phrase for a model card."""
        phrases = []
        if self.selection is not None:
            patients = _patients(self.selection.training)
            phrases.append(f"{len(self.selection.training)} corrected scans of {patients} patients")
        if self.simulated is not None:
            phrases.append("simulated: myo-sim skeleton, napari_bonescint.simulation")
        return "; ".join(phrases)

    @property
    def limits(self) -> list[str]:
        """Weaknesses of a model that is trained on this data, as sentences for its card."""
        first = f"{DISCLAIMER}: not for diagnosis."
        if self.selection is None:
            return [first, *_SIMULATED_LIMITS]
        return [
            first,
            f"Trained on {self.origin}; scans from elsewhere may differ.",
            "Masks that were corrected from a model's own favour that model in scores; look at the overlay.",
        ]


def _patients(scans: Sequence[CorrectedScan]) -> int:
    return len({scan.patient for scan in scans})
