"""A table in which a user names who belongs together, where the files do not tell."""

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
    """Who belongs together.

    Attributes
    ----------
    of_number : mapping of str to str
        The patient's name in the table, by Patient ID in the form of `identity.patient_number`.
    of_file : mapping of Path to str
        The same by file.
    identities : mapping of str to tuple of Identity
        The Patient IDs of each patient as they stand in the table.
    keys : mapping of str to frozenset of str
        The keys of each patient that the table names itself, as `bonescint store list` prints them.
    """

    of_number: Mapping[str, str]
    of_file: Mapping[Path, str]
    identities: Mapping[str, tuple[Identity, ...]]
    keys: Mapping[str, frozenset[str]]

    def patient_of(self, identity: Identity, paths: Iterable[Path]) -> str | None:
        """Whose scan it is, by the table's own names; None if the table does not say.

        Parameters
        ----------
        identity : Identity
            What the file says.
        paths : iterable of Path
            The files of the scan.
        """
        by_file = next((self.of_file[path] for path in map(_real, paths) if path in self.of_file), None)
        return self.of_number.get(identity.number or "") if by_file is None else by_file

    def keys_of(self, patient: str, secrets: Iterable[bytes]) -> set[str]:
        """Keys under which a patient of the table may be in a store with these secrets."""
        made = {
            key for secret in secrets for each in self.identities.get(patient, ()) for key in patient_keys(secret, each)
        }
        return made | self.keys.get(patient, frozenset())

    @property
    def patients(self) -> list[str]:
        """The table's own names of the patients."""
        return sorted({*self.identities, *self.keys, *self.of_file.values()})


@reader
def read_patient_table(path: Path) -> PatientTable:
    """Read a CSV table with a row for each thing that is known of a patient.

    Rows with the same ``patient`` are one person; the word is yours and stays out of the store. ``id`` is a Patient ID
    as a file states it, in any spelling, or a key that ``bonescint store list`` prints. ``issuer`` may say who issued
    it, which only scans need that an earlier version added. ``file`` is a file, from the table's folder, for
    pictures, which state no Patient ID::

        patient,id,file
        A,0012345,
        A,WARD-12345,
        B,,pictures/b-2024.png
        B,,pictures/b-2025.png

    Raises
    ------
    Refusal
        If the file is no such table, a row lacks the patient or says nothing of one, or two patients have the same ID
        or file.
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
                raise Refusal(path, f"Row {line}: {row['id']!r} tells nobody apart; name the files instead.")
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
