"""Translate the labels of other programs' masks to our regions, by a table that the user writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.csv_table import read_table
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BONE = "bone"
"""Word in a mapping for a label that is bone without a region."""

_SHOWN = 5


class UnmappedLabels(BonescintError):
    """A mask has labels without a known region."""


class Translated(NamedTuple):
    """Region codes (or 1 for bone) as uint8, and whether they are codes."""

    regions: NDArray[np.uint8]
    names_regions: bool


@dataclass(frozen=True)
class RegionMapping:
    """A mapping from labels, by value or lower-case name, to a region's name, ``background`` or ``bone``.

    `origin` names the mapping in messages, such as its file.
    """

    origin: str
    regions: Mapping[str, str]

    def translate(
        self, path: Path, labels: NDArray[np.integer], names: Mapping[int, Sequence[str]] | None = None
    ) -> Translated:
        """Translate the labels of the mask in a file.

        `names` are the file's names of each value; they are looked up before the value itself. A value other than 0
        without a region, or a mask of both regions and bone without a region, raises `UnmappedLabels`.
        """
        values = np.unique(labels)
        meanings: list[str] = []
        unmapped: list[str] = []
        for value in map(int, values):
            called = [*(names or {}).get(value, ()), str(value)]
            found = next((self.regions[each.lower()] for each in called if each.lower() in self.regions), None)
            found = "background" if found is None and value == 0 else found
            if found is None:
                unmapped.append(called[0])
            meanings.append(found or "background")
        if unmapped:
            listed = ", ".join(unmapped[:_SHOWN]) + (", ..." if len(unmapped) > _SHOWN else "")
            raise UnmappedLabels(f"{path.name}: {self.origin} names no region for these labels: {listed}.")
        named = set(meanings) - {"background"}
        if BONE in named and len(named) > 1:
            raise UnmappedLabels(f"{path.name}: in {self.origin} some labels are regions and others only bone.")
        # A loop over values, since an index of all labels would take eight times the memory.
        regions = np.zeros(labels.shape, np.uint8)
        for value, meaning in zip(values, meanings, strict=True):
            regions[labels == value] = CODES.get(meaning, 1)
        return Translated(regions, BONE not in named)


@reader
def read_region_mapping(path: Path) -> RegionMapping:
    """Read a CSV table with the columns ``label`` and ``region``; any other table is a `Refusal`.

    A label is a value, or a name if the mask's format names its labels (DICOM SEG: segment label or code value).
    A region is a name of `anatomy.REGIONS`, ``background`` for pixels to leave out, or ``bone`` for bone without a
    region. Several labels may be one region::

        label,region
        1,skull
        left femur,femur
        right femur,femur
        bladder,background
    """
    regions: dict[str, str] = {}
    for row in read_table(path, ("label", "region")):
        label, region = row["label"].lower(), row["region"].lower().replace(" ", "_")
        if region not in CODES and region != BONE:
            raise Refusal(path, f"{row['region']} is no region; the regions are {', '.join((*CODES, BONE))}.")
        if label in regions:
            raise Refusal(path, f"The label {row['label']} is there twice.")
        regions[label] = region
    return RegionMapping(path.name, regions)


def whole_numbers(path: Path, labels: NDArray[np.generic]) -> NDArray[np.int64]:
    """Convert labels of any type to integers; a label that is no whole number is a `Refusal`."""
    if labels.dtype.kind not in "buif":
        raise Refusal(path, "The file holds colours or complex numbers; a mask holds labels.")
    with np.errstate(invalid="ignore"):  # infinite and too large values change, and are refused below
        whole = labels.astype(np.int64)
    if not np.array_equal(whole, labels):
        raise Refusal(path, "The file holds numbers that are not whole; a mask holds labels.")
    return whole


def translate(
    path: Path,
    labels: NDArray[np.integer],
    mapping: RegionMapping | None,
    *,
    names_regions: object = None,
) -> Translated:
    """Take labels as our region codes, or translate them by a mapping.

    `names_regions` tells whether codes are regions or bone, if the file states it as a bool. Otherwise a mask without
    any value above 1 is taken as bone alone. A value without a region raises `UnmappedLabels`.
    """
    if mapping is not None:
        return mapping.translate(path, labels)
    highest = int(labels.max(initial=0))
    names = names_regions if isinstance(names_regions, bool) else highest > 1
    if labels.min(initial=0) < 0 or highest > (REGIONS[-1].code if names else 1):
        codes = f"the regions have codes 0 to {REGIONS[-1].code}; give a region mapping"
        raise UnmappedLabels(f"{path.name}: the mask has values up to {highest}, but {codes}.")
    return Translated(labels.astype(np.uint8), names)
