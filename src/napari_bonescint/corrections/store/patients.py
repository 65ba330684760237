"""Which keys of a label store are one patient, and what each patient is for.

    STORE/patients/HASH.json      keys that belong together, and the part that each was in when that became known

A record is never changed, and is named by the hash of what it says, so that two writers at once write the same file or
two. Together the records say who is one patient, whatever their order. Without any, each key is a patient.

A part, once recorded, stays: who was ever trained on never validates or judges, and who validated never judges. A key
that nobody had when it was recorded takes the part of the patient that it turned out to be of.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.corrections.errors import Damaged, reachable
from napari_bonescint.corrections.store.checksummed_json import read_sealed, seal
from napari_bonescint.corrections.store.keys import patient_keys, study_key
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from napari_bonescint.corrections.store.checksummed_json import Facts
    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.formats.dicom.identity import Identity

FOLDER = "patients"
_NAME_DIGITS = 16
# What a patient was exposed to most comes first.
_EXPOSURE = list(Part)


class Patients:
    """The patients of a store.

    Parameters
    ----------
    folder : Path
        Where the records are; it need not exist.

    Raises
    ------
    Damaged
        If a record is: a patient who was trained on might be taken for another one, who judges.
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
        """One key for all keys of a patient."""
        return min(self.keys_of(key))

    def keys_of(self, key: str) -> frozenset[str]:
        """All keys of a patient."""
        return self._group_of.get(key, frozenset((key,)))

    def part(self, key: str) -> Part:
        """What a patient is for."""
        recorded = [self._recorded[each] for each in self.keys_of(key) if each in self._recorded]
        return min(recorded, key=_EXPOSURE.index) if recorded else part_of_patient(self.person(key))

    def link(self, keys: Iterable[str], there: Collection[str]) -> bool:
        """Record that keys are of one patient, unless that is known; say whether it was not.

        Parameters
        ----------
        keys : iterable of str
            At least one.
        there : collection of str
            Keys of the patients who have a scan in the store, and so were in a part until now.

        Raises
        ------
        CannotWrite
            If the store is full, not writable or gone; nothing was recorded.
        """
        belonging = sorted(set(keys))
        if len({self.person(key) for key in belonging}) < 2:
            return False
        members = {key: self.part(key) if self._is_there(key, there) else None for key in belonging}
        facts = {"members": members}
        name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:_NAME_DIGITS]
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise CannotWrite(f"{self._folder}: could not be written ({error.strerror or error}).") from error
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
    """Who has scans in a store, kept up to date while scans are added.

    Parameters
    ----------
    patients : Patients
    cases : iterable of CaseSummary
        Those that the store has.
    """

    def __init__(self, patients: Patients, cases: Iterable[CaseSummary]) -> None:
        self.patients = patients
        self.there: set[str] = set()
        self._of_study: dict[str, set[str]] = {}
        for case in cases:
            self.enter(case.patient_key, case.study_key)

    def enter(self, patient_key: str, study_key: str) -> None:
        """Note that a patient has a scan of a study."""
        self.there.add(patient_key)
        self._of_study.setdefault(study_key, set()).add(patient_key)

    def of_study(self, study: str) -> set[str]:
        """Keys of the patients who have a scan of a study: one, unless somebody's number changed."""
        return self._of_study.get(study, set())

    def known_as(self, secrets: Iterable[bytes], identity: Identity) -> set[str]:
        """Keys under which a patient may be in a store that has these secrets."""
        known: set[str] = set()
        for secret in secrets:
            known |= patient_keys(secret, identity)
            if (study := study_key(secret, identity)) is not None:
                # Of scans without a patient the study is the patient.
                known.add(study)
                others = self.of_study(study)
                if not identity.number and len(set(map(self.patients.person, others))) == 1:
                    known |= others
        return known

    def link(self, key: str, others: Iterable[str]) -> bool:
        """Record which of the others, who have scans or were linked, are the patient of a key; say if that was new."""
        known = {each for each in others if self.there & self.patients.keys_of(each)}
        return self.patients.link({key, *known}, self.there)


def records(folder: Path) -> list[Path]:
    """Files of the records in a folder, which need not exist.

    Raises
    ------
    StoreError
        If it cannot be reached.
    """
    with reachable(folder):
        return sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []


def read_record(path: Path) -> dict[str, Part | None]:
    """Keys of one patient, and the part that each was in; None for a key that nobody had yet.

    Raises
    ------
    Damaged
        If the file is missing, damaged or foreign.
    StoreError
        If it cannot be reached.
    """
    facts: Facts = read_sealed(path)
    try:
        members = {str(key): None if part is None else Part(part) for key, part in facts["members"].items()}
        if not members:
            raise ValueError("nobody")
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise Damaged(f"{path}: is no record of a patient that this version of bonescint can read.") from error
    return members
