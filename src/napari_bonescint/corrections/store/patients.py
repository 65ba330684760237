"""The patients of a label store: the keys of each, and the part of each.

    STORE/patients/HASH.json      keys of the same patient, and the part of each key when it was recorded

A record never changes. Its name is the hash of its content, so two writers never conflict. The order of the records
does not matter. Without records, each key is a patient.

A recorded part stays: a patient who was trained on never validates or judges, and one who validated never judges. A key
without scans at the time of the record gets the part of its patient.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from napari_bonescint.corrections.errors import reachable
from napari_bonescint.corrections.store.files.checksummed_json import known_facts, read_sealed, seal
from napari_bonescint.corrections.store.keys import patient_keys, study_key
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from napari_bonescint.corrections.store.files.checksummed_json import Facts
    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.formats.dicom.identity import Identity

FOLDER = "patients"
_NAME_DIGITS = 16
_EXPOSURE = list(Part)


class Patients:
    """The patients of a store, from a folder of records, which need not exist.

    Raises
    ------
    Damaged
        If a record is damaged, since a patient who was trained on could then be judged.
    StoreError
        If the folder cannot be reached.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._group_of: dict[str, frozenset[str]] = {}
        self._recorded: dict[str, Part] = {}
        for path in records(folder):
            self._take(read_record(path))

    def person(self, key: str) -> str:
        """One key that stands for all keys of the patient."""
        return min(self.keys_of(key))

    def keys_of(self, key: str) -> frozenset[str]:
        """All keys of the patient."""
        return self._group_of.get(key, frozenset((key,)))

    def part(self, key: str) -> Part:
        """The part of the patient."""
        recorded = [self._recorded[each] for each in self.keys_of(key) if each in self._recorded]
        return min(recorded, key=_EXPOSURE.index) if recorded else part_of_patient(self.person(key))

    def link(self, keys: Iterable[str], there: Collection[str]) -> bool:
        """Record that keys are of one patient; returns False if that was known.

        Parameters
        ----------
        keys : iterable of str
            At least one.
        there : collection of str
            Keys with scans in the store, which therefore have a part.

        Raises
        ------
        CannotWrite
            If the store is full, not writable or gone; nothing is recorded then.
        """
        belonging = sorted(set(keys))
        if len({self.person(key) for key in belonging}) < 2:
            return False
        members = {key: self.part(key) if self._is_there(key, there) else None for key in belonging}
        facts = {"members": members}
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:_NAME_DIGITS]
        make_folder(self._folder)
        write_bytes_atomically(self._folder / f"{name}.json", seal(facts))
        self._take(members)
        return True

    def _is_there(self, key: str, there: Collection[str]) -> bool:
        return any(each in there for each in self.keys_of(key))

    def _take(self, members: Mapping[str, Part | None]) -> None:
        group = frozenset().union(*map(self.keys_of, members))
        self._group_of.update(dict.fromkeys(group, group))
        for key, part in members.items():
            if part is not None:
                known = self._recorded.get(key, part)
                self._recorded[key] = min(part, known, key=_EXPOSURE.index)


class Register:
    """The patients with scans in a store, updated while scans are added."""

    def __init__(self, patients: Patients, cases: Iterable[CaseSummary]) -> None:
        self.patients = patients
        self.there: set[str] = set()
        self._of_study: dict[str, set[str]] = {}
        for case in cases:
            self.enter(case.patient_key, case.study_key)

    def enter(self, patient_key: str, study_key: str) -> None:
        """Add a scan of a patient and study."""
        self.there.add(patient_key)
        self._of_study.setdefault(study_key, set()).add(patient_key)

    def of_study(self, study: str) -> set[str]:
        """Keys of the patients with a scan of a study: one, unless a Patient ID was changed."""
        return self._of_study.get(study, set())

    def known_as(self, secrets: Iterable[bytes], identity: Identity) -> set[str]:
        """Possible keys of a patient in a store with these secrets."""
        known: set[str] = set()
        for secret in secrets:
            known |= patient_keys(secret, identity)
            if (study := study_key(secret, identity)) is not None:
                # Scans without a Patient ID have the study's key.
                known.add(study)
                others = self.of_study(study)
                if not identity.number and len(set(map(self.patients.person, others))) == 1:
                    known |= others
        return known

    def link(self, key: str, others: Iterable[str]) -> bool:
        """Link a key to those of the other keys that have scans or links; returns False if that was known."""
        known = {each for each in others if self.there & self.patients.keys_of(each)}
        return self.patients.link({key, *known}, self.there)


def records(folder: Path) -> list[Path]:
    """Files of the records in a folder, which need not exist; raises `StoreError` if it cannot be reached."""
    with reachable(folder):
        return sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []


def read_record(path: Path) -> dict[str, Part | None]:
    """Read the keys of one patient with their parts; the part is None for a key without scans at that time.

    Raises
    ------
    Damaged
        If the file is missing, damaged or foreign.
    StoreError
        If it cannot be reached.
    """
    facts: Facts = read_sealed(path)
    with known_facts(path, "is no record of a patient"):
        members = {str(key): None if part is None else Part(part) for key, part in facts["members"].items()}
        if not members:
            raise ValueError("nobody")
        return members
