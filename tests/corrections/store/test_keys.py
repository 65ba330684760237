"""Keys keep a patient's scans together and tell nobody who the patient is."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_bonescint.corrections.store.keys import decrypt_hash, encrypt_hash, keys_of
from napari_bonescint.formats.dicom.identity import Identity

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

SECRET = b"5" * 64
IMAGE = hashlib.sha256(b"counts").hexdigest()


def test_a_key_is_the_hmac_of_the_identifier(scan: Scan) -> None:
    keys = keys_of(SECRET, replace(scan, source_sha256="ab"), Identity("clinic\n4711", "1.2.3"))
    for key, message in zip(keys, (b"source\nab", b"patient\n4711", b"study\n1.2.3"), strict=True):
        assert key == hmac.new(SECRET, message, hashlib.sha256).hexdigest()[:16]


def test_scans_of_a_patient_share_the_patient_key_and_those_of_a_study_both(scan: Scan) -> None:
    first, second = (replace(scan, source_sha256=digit * 64) for digit in "12")
    a = keys_of(SECRET, first, Identity("P", "S1"))
    b = keys_of(SECRET, second, Identity("P", "S1"))
    c = keys_of(SECRET, second, Identity("P", "S2"))
    assert (a.patient, a.study) == (b.patient, b.study)
    assert (b.patient, b.case) == (c.patient, c.case)
    assert b.study != c.study
    assert a.case != b.case


def test_without_a_patient_the_study_and_without_both_the_scan_is_its_own_patient(scan: Scan) -> None:
    study = keys_of(SECRET, scan, Identity(None, "S1"))
    assert study.patient == study.study != study.case
    alone = keys_of(SECRET, scan, Identity())
    assert alone.patient == alone.study == alone.case
    brighter = replace(scan, counts=scan.counts + scan.counts)
    assert keys_of(SECRET, brighter, Identity()).case != alone.case


def test_another_store_has_other_keys(scan: Scan) -> None:
    identity = Identity("P", "S")
    assert not set(keys_of(SECRET, scan, identity)) & set(keys_of(b"6" * 64, scan, identity))


def test_a_veiled_hash_is_told_by_the_secret_alone_and_is_another_one_for_every_case() -> None:
    encrypted = encrypt_hash(SECRET, "1" * 16, IMAGE)
    assert decrypt_hash(SECRET, "1" * 16, encrypted) == IMAGE
    assert IMAGE[:8] not in encrypted
    assert (
        len({encrypted[:64], encrypt_hash(SECRET, "2" * 16, IMAGE)[:64], encrypt_hash(b"6" * 64, "1" * 16, IMAGE)[:64]})
        == 3
    )
    assert decrypt_hash(b"6" * 64, "1" * 16, encrypted) is None
    assert decrypt_hash(SECRET, "2" * 16, encrypted) is None


def test_what_was_never_veiled_is_not_unveiled() -> None:
    for text in ("", IMAGE, "z" * 80, "../secret"):
        assert decrypt_hash(SECRET, "1" * 16, text) is None
