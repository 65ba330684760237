"""A CSV table of the user that names the scans of each patient, where the files do not."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.corrections.store.keys import patient_keys
from napari_bonescint.formats.dicom.identity import Identity, patient_number
from napari_bonescint.formats.safe_reading.csv_table import read_table
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_KEY = re.compile("[0-9a-f]{16}")
_Name = TypeVar("_Name", str, Path)


@dataclass(frozen=True)
class PatientTable:
    """The patients of a table; each has a name, which is used only in the table.

    Attributes
    ----------
    of_number : mapping of str to str
        The name by Patient ID, in the form of `identity.patient_number`.
    of_file : mapping of Path to str
        The name by file.
    identities : mapping of str to tuple of Identity
        The Patient IDs of each name, as written in the table.
    keys : mapping of str to frozenset of str
        The keys of each name, as printed by `bonescint store list`.
    """

    of_number: Mapping[str, str]
    of_file: Mapping[Path, str]
    identities: Mapping[str, tuple[Identity, ...]]
    keys: Mapping[str, frozenset[str]]

    def patient_of(self, identity: Identity, paths: Iterable[Path]) -> str | None:
        """The name of the patient of a scan, given its identity and files; None if the table has no such patient."""
        by_file = next((self.of_file[path] for path in map(_real, paths) if path in self.of_file), None)
        return self.of_number.get(identity.number or "") if by_file is None else by_file

    def keys_of(self, patient: str, secrets: Iterable[bytes]) -> set[str]:
        """Possible keys of a patient in a store with these secrets."""
        made = {
            key for secret in secrets for each in self.identities.get(patient, ()) for key in patient_keys(secret, each)
        }
        return made | self.keys.get(patient, frozenset())

    @property
    def patients(self) -> list[str]:
        """The names of the patients."""
        return sorted({*self.identities, *self.keys, *self.of_file.values()})


@reader
def read_patient_table(path: Path) -> PatientTable:
    """Read a CSV table with a row for each Patient ID, key or file of a patient.

    Rows with the same ``patient`` are one person; the store does not keep this word. ``id`` is a Patient ID in any
    spelling, or a key from ``bonescint store list``. ``issuer`` is the issuer of the ID, needed only for scans added by
    an earlier version. ``file`` is a path from the table's folder, for pictures without a Patient ID::

        patient,id,file
        A,0012345,
        A,WARD-12345,
        B,,pictures/b-2024.png
        B,,pictures/b-2025.png

    Raises
    ------
    Refusal
        If the file is no such table, a row lacks the patient, or both ID and file, or two patients have the same ID or
        file.
    """
    of_number: dict[str, str] = {}
    of_file: dict[Path, str] = {}
    identities: dict[str, list[Identity]] = defaultdict(list)
    keys: dict[str, set[str]] = defaultdict(set)
    of_key: dict[str, str] = {}
    for line, row in enumerate(read_table(path, ("patient",), ("id", "issuer", "file")), 2):
        patient, number = row["patient"], patient_number(row["id"])
        if not patient or not (row["id"] or row["file"]):
            raise Refusal(path, f"Row {line} must name a patient, and an id or a file of that patient.")
        if row["file"]:
            _note(path, of_file, _real(path.parent / row["file"]), patient, row["file"])
        if _KEY.fullmatch(row["id"]):
            _note(path, of_key, row["id"], patient, row["id"])
            keys[patient].add(row["id"])
        elif row["id"]:
            if number is None:
                raise Refusal(path, f"Row {line}: {row['id']!r} identifies nobody; name the files instead.")
            _note(path, of_number, number, patient, row["id"])
            issuers = {"", row["issuer"]}
            identities[patient] += [Identity(f"{issuer}\n{row['id']}") for issuer in sorted(issuers)]
    return PatientTable(
        of_number,
        of_file,
        {patient: tuple(each) for patient, each in identities.items()},
        {patient: frozenset(each) for patient, each in keys.items()},
    )


def _note(path: Path, known: dict[_Name, str], name: _Name, patient: str, text: str) -> None:
    if known.setdefault(name, patient) != patient:
        raise Refusal(path, f"{text} is of two patients, {known[name]} and {patient}; leave one of them out.")


def _real(path: Path) -> Path:
    return path.resolve()
