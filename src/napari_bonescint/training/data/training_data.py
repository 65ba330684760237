"""All that a training is given: what it draws its examples from, and what it is scored on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from napari_bonescint.corrections.selection import Selection
from napari_bonescint.errors import BonescintError
from napari_bonescint.text import DISCLAIMER
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


class MaterialError(BonescintError):
    """Nothing to train on, or nothing to score on."""


@dataclass(frozen=True)
class TrainingData:
    """What a training is given.

    Attributes
    ----------
    selection : Selection or None
        Of corrected scans; None if no label store was given.
    simulated : CaseSource or None
        Simulated cases to train on.
    held_out_cases : tuple of Path
        Simulated cases to validate on.

    Raises
    ------
    MaterialError
        If there is nothing to train on.
    """

    selection: Selection | None
    simulated: CaseSource | None
    held_out_cases: tuple[Path, ...]

    def __post_init__(self) -> None:
        if self.selection is None and self.simulated is None:
            raise MaterialError("There is nothing to train on; give --store, --cases or --simulate.")

    def source(self, simulated_share: float) -> CaseSource:
        """What examples are drawn from.

        Parameters
        ----------
        simulated_share : float
            Share of simulated cases, where there are corrected scans too.

        Raises
        ------
        NoCasesError
            If there is no corrected scan that may be trained on.
        """
        if self.selection is None:
            if self.simulated is None:
                raise MaterialError("There is nothing to train on.")
            return self.simulated
        corrected = CorrectedCases(self.selection.training, self.selection.sha256)
        return corrected if self.simulated is None else MixedCases(corrected, self.simulated, simulated_share)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What is trained on, validated on, held out and left out, as JSON."""
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
        """What a log says of it: how many cases and patients, and what was left out and why."""
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
        """What is trained on, as a phrase for a model card."""
        phrases = []
        if self.selection is not None:
            patients = _patients(self.selection.training)
            phrases.append(f"{len(self.selection.training)} corrected scans of {patients} patients")
        if self.simulated is not None:
            phrases.append("simulated: myo-sim skeleton, napari_bonescint.simulation")
        return "; ".join(phrases)

    @property
    def limits(self) -> list[str]:
        """What a model that was trained on it is not good at, as sentences for its card."""
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
