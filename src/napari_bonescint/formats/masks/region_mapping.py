"""What the labels of masks from elsewhere mean: a table that the user writes, from values or names to our regions."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_table_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BONE = "bone"
"""What a label means that marks bone and names no region."""

_HEADER = ["label", "region"]
_SHOWN = 5


class UnmappedLabels(BonescintError):
    """A mask with labels of which nobody says what they mean."""


class Translated(NamedTuple):
    """Labels in our terms.

    Attributes
    ----------
    regions : ndarray of uint8
        Region codes, or 1 for bone.
    names_regions : bool
        Which of the two.
    """

    regions: NDArray[np.uint8]
    names_regions: bool


@dataclass(frozen=True)
class RegionMapping:
    """From the labels of some other program to regions.

    Attributes
    ----------
    origin : str
        The file that says so, or what else does.
    regions : mapping of str to str
        For each label, by its value or its name in lower case, a region's name, ``background`` or ``bone``.
    """

    origin: str
    regions: Mapping[str, str]

    def translate(
        self, path: Path, labels: NDArray[np.integer], names: Mapping[int, Sequence[str]] | None = None
    ) -> Translated:
        """Translate the labels of a mask.

        Parameters
        ----------
        path : Path
            The mask's file, for the error.
        labels : ndarray of integers
            Label values.
        names : mapping of int to sequence of str, optional
            By what else the file calls each value; a label is looked up by these first.

        Raises
        ------
        UnmappedLabels
            If the mask has a value other than 0 that the mapping does not mention, or both regions and mere bone.
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
            raise UnmappedLabels(f"{path.name}: {self.origin} does not say which region these labels are: {listed}.")
        named = set(meanings) - {"background"}
        if BONE in named and len(named) > 1:
            raise UnmappedLabels(f"{path.name}: by {self.origin} some labels are regions and others just bone.")
        # One after the other: an index of all labels takes eight times the memory.
        regions = np.zeros(labels.shape, np.uint8)
        for value, meaning in zip(values, meanings, strict=True):
            regions[labels == value] = CODES.get(meaning, 1)
        return Translated(regions, BONE not in named)


@reader
def read_region_mapping(path: Path) -> RegionMapping:
    """Read a CSV table with the columns ``label`` and ``region``.

    A label is a value or, where the mask's format names its labels (DICOM SEG: segment label or code value), a name.
    A region is a name of `anatomy.REGIONS`, ``background`` for what is to be left out, or ``bone`` where no region is
    meant. Several labels may be one region::

        label,region
        1,skull
        left femur,femur
        right femur,femur
        bladder,background

    Raises
    ------
    Refusal
        If the file is no such table, names a region that there is not, or a label twice.
    """
    try:
        text = read_table_bytes(path).decode("utf-8-sig")
        # Spreadsheets of some countries separate columns by semicolons.
        first_line = text.partition("\n")[0]
        rows = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in first_line else ",", strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Refusal(path, f"The file is no CSV table with the columns {', '.join(_HEADER)}.") from error
    cells = [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]
    if not cells or [cell.lower() for cell in cells[0]] != _HEADER:
        raise Refusal(path, f"The first line of a mapping is {','.join(_HEADER)}.")
    regions: dict[str, str] = {}
    for row in cells[1:]:
        if len(row) != len(_HEADER):
            raise Refusal(path, f"The line {','.join(row)} has {len(row)} columns, not two: a label and its region.")
        label, region = row[0].lower(), row[1].lower().replace(" ", "_")
        if region not in CODES and region != BONE:
            raise Refusal(path, f"{row[1]} is no region; there are {', '.join((*CODES, BONE))}.")
        if label in regions:
            raise Refusal(path, f"The label {row[0]} is there twice.")
        regions[label] = region
    return RegionMapping(path.name, regions)


def translate(
    path: Path,
    labels: NDArray[np.integer],
    mapping: RegionMapping | None,
    *,
    names_regions: bool | None = None,
) -> Translated:
    """Take labels as our region codes, or translate them by a mapping.

    Parameters
    ----------
    path : Path
        The mask's file, for the error.
    labels : ndarray of integers
        Label values.
    mapping : RegionMapping or None
        What they mean; None if they are our codes.
    names_regions : bool or None
        Whether codes mean regions or bone, where the file says so. Where it does not, a mask without any value above 1
        is taken as bone alone.

    Raises
    ------
    UnmappedLabels
        If a value has no meaning.
    """
    if mapping is not None:
        return mapping.translate(path, labels)
    highest = int(labels.max(initial=0))
    if names_regions is None:
        names_regions = highest > 1
    if labels.min(initial=0) < 0 or highest > (REGIONS[-1].code if names_regions else 1):
        raise UnmappedLabels(
            f"{path.name}: the mask has values up to {highest} and the regions have codes 0 to {REGIONS[-1].code}; "
            "say by a region mapping what its labels are."
        )
    return Translated(labels.astype(np.uint8), names_regions)
