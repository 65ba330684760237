"""A patient is known under every key, and is for ever for what it was for."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.keys import encrypt_hash, keys_of
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.corrections.store.patients import Patients
from napari_bonescint.formats.dicom.identity import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


def key_for(part: Part, number: int = 0) -> str:
    """A key of a patient who is for something."""
    keys = (f"{value:016x}" for value in range(1000))
    return [key for key in keys if part_of_patient(key) is part][number]


@pytest.fixture
def patients(tmp_path: Path) -> Patients:
    return Patients(tmp_path / "patients")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (Part.JUDGED, Part.TRAINED, Part.TRAINED),
        (Part.TRAINED, Part.JUDGED, Part.TRAINED),
        (Part.JUDGED, Part.VALIDATING, Part.VALIDATING),
        (Part.VALIDATING, Part.TRAINED, Part.TRAINED),
    ],
)
def test_who_was_ever_trained_on_is_never_judged(
    patients: Patients, tmp_path: Path, one: Part, other: Part, both: Part
) -> None:
    keys = key_for(one), key_for(other)
    assert patients.link(keys, keys)
    for each in (patients, Patients(tmp_path / "patients")):
        assert each.person(keys[0]) == each.person(keys[1])
        assert [each.part(key) for key in keys] == [both, both]


@pytest.mark.parametrize("part", list(Part))
def test_another_key_of_a_patient_changes_no_part(patients: Patients, part: Part) -> None:
    known, new = key_for(part), key_for(Part.TRAINED if part is not Part.TRAINED else Part.JUDGED)
    patients.link((known, new), {known})
    assert patients.part(new) is part
    # Nor does the next one.
    patients.link((new, "f" * 16), {known, new})
    assert patients.part("f" * 16) is part


def test_what_is_known_is_not_recorded_again(patients: Patients, tmp_path: Path) -> None:
    keys = key_for(Part.TRAINED), key_for(Part.TRAINED, 1), key_for(Part.TRAINED, 2)
    assert patients.link(keys[:2], keys)
    assert patients.link(keys[1:], keys)
    assert not patients.link((keys[0], keys[2]), keys)
    assert len(list((tmp_path / "patients").iterdir())) == 2


@pytest.mark.parametrize("spelling", ["\n4711", "North\n4711", "South\n004711", "North\n 4711", "4711"])
def test_spellings_of_a_patient_id_are_one_patient(store: LabelStore, scan: Scan, spelling: str) -> None:
    first = store.add(scan, Identity("North\n4711"))
    second = store.add(replace(scan, source_sha256="1"), Identity(spelling))
    facts = [store.files(case).facts().patient_key for case in (first, second)]
    assert facts[0] == facts[1]


def test_scans_without_a_patient_are_of_the_one_whose_study_they_are_of(store: LabelStore, scan: Scan) -> None:
    scans = [replace(scan, source_sha256=f"{number}") for number in range(4)]
    # The number is missing after the first scan, and before the last.
    cases = [
        store.add(scans[0], Identity("4711", "S1")),
        store.add(scans[1], Identity(None, "S1")),
        store.add(scans[2], Identity("ANONYMOUS", "S2")),
        store.add(scans[3], Identity("4711", "S2")),
    ]
    patients = store.patients()
    people = [patients.person(store.files(case).facts().patient_key) for case in cases]
    assert len(set(people)) == 1


def test_a_patient_whom_an_earlier_version_added_is_known_and_stays_what_it_was_for(
    store: LabelStore, scan: Scan
) -> None:
    secret, identity = (store.folder / "secret").read_bytes(), Identity("North\n0042", "S1")
    scan = replace(scan, source_sha256="1")
    # The key was that of issuer and number as they stood.
    old = hmac.new(secret, b"patient\nNorth\n0042", hashlib.sha256).hexdigest()[:16]
    keys = keys_of(secret, scan, identity)._replace(patient=old)
    store.files(keys.case).create(scan, keys, encrypt_hash(secret, keys.case, planes_sha256(scan.counts)))
    # A scan with the same text is known at once; the same file again tells of other spellings, too.
    second = LabelStore.open(store.folder).add(replace(scan, source_sha256="2"), identity)
    assert LabelStore.open(store.folder).add(scan, identity) == keys.case
    third = LabelStore.open(store.folder).add(replace(scan, source_sha256="3"), Identity("42", "S2"))
    patients = store.patients()
    for case in (second, third):
        key = store.files(case).facts().patient_key
        assert patients.person(key) == patients.person(old)
        assert patients.part(key) is part_of_patient(old)


def test_a_damaged_record_is_told(store: LabelStore, case: str) -> None:
    store.patients().link((key_for(Part.JUDGED), store.files(case).facts().patient_key), ())
    assert check_store(store, lambda _: None).damage == []
    (record,) = (store.folder / "patients").iterdir()
    record.write_bytes(record.read_bytes().replace(b"null", b"1"))
    (told,) = check_store(store, lambda _: None).damage
    assert told.startswith(f"{record}: is damaged")
    with pytest.raises(Damaged, match="is damaged"):
        store.patients()
