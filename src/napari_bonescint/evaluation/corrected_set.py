"""Score models on the corrected scans of label stores."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import OriginKind
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_bonescint.corrections.selection import CorrectedScan


class CorrectedSet:
    """Corrected scans, as a `ReferenceSet`.

    Parameters
    ----------
    scans : sequence of CorrectedScan
        Scans to score on. A scan and mask that two stores hold counts once.
    name : str
        Name in tables.
    left_out : int
        Number of scans left out because a model learnt from their patients.

    Attributes
    ----------
    scans : tuple of CorrectedScan
    """

    is_simulated = False

    def __init__(self, scans: Sequence[CorrectedScan], name: str = "corrected", *, left_out: int = 0) -> None:
        self.name = name
        self._left_out = left_out
        self.scans = tuple({(scan.image_sha256, scan.mask_sha256): scan for scan in scans}.values())

    @property
    def origin(self) -> str:
        """Description of the scans, with the numbers of scans and patients."""
        found = f"corrected by hand, {len(self.scans)} scans of {self.patients} patients (data not public)"
        if not self._left_out:
            return found
        return f"{found}; {counted(self._left_out, 'scan')} left out because a model learnt from the same patients"

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len({scan.patient_key for scan in self.scans})

    def sha256(self) -> str:
        """Hash of the hashes of all counts and masks."""
        total = hashlib.sha256()
        for scan in self.scans:
            total.update(f"{scan.image_sha256} {scan.mask_sha256} {scan.names_regions}\n".encode())
        return total.hexdigest()

    def __len__(self) -> int:
        return len(self.scans)

    def __iter__(self) -> Iterator[Reference]:
        for corrected in self.scans:
            scan, regions = corrected.read()
            yield Reference(scan, regions, corrected.case, corrected.patient_key, corrected.names_regions)

    def made_from(self, weights_sha256: str) -> int:
        """Number of masks whose first revision was the result of a model with these weights."""
        return sum(_first_model(scan) == weights_sha256 for scan in self.scans)


def _first_model(scan: CorrectedScan) -> str | None:
    """Hash of the model that made the first revision of a mask; None if a person made it, or if it is unknown."""
    with suppress(StoreError):
        origins = {each.number: each.origin for each in LabelStore(scan.store_folder).revisions(scan.case)}
        number: int | None = scan.revision
        while number in origins:
            origin = origins.pop(number)
            if origin.kind is OriginKind.MODEL:
                return origin.model_sha256
            number = origin.revision
    return None
