"""Keys: pseudonyms of patients, studies and scans.

A key is the HMAC-SHA256 (RFC 2104) of an identifier with the store's secret. Without the secret, nobody can find a
patient in the store by trying all hospital numbers. With the secret, this is possible, so the secret must not be given
away with the store. A patient has different keys in different stores.

The hash of an image is encrypted: combined bit by bit (XOR) with an HMAC of the case's key. With the secret it can be
decrypted, so that the same scan is recognised in two stores.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.store.files.plane_files import planes_sha256

if TYPE_CHECKING:
    from napari_bonescint.formats.dicom.identity import Identity
    from napari_bonescint.scan import Scan

# 64 bits: among a million scans, two have the same key with a probability of 3 in 100 million.
_HEX_DIGITS = 16
_ENCRYPTED = re.compile("[0-9a-f]{80}")


class Keys(NamedTuple):
    """The keys of a scan.

    Attributes
    ----------
    case : str
        Key of the source file; of the counts if there is none.
    patient : str
        Key of the Patient ID in any spelling, see `identity.patient_number`; without an ID, key of the study or scan.
    study : str
        Key of the study; of the scan if the study is not known.
    """

    case: str
    patient: str
    study: str


def keys_of(secret: bytes, scan: Scan, identity: Identity) -> Keys:
    """The keys of a scan in the store with this secret."""
    case = case_key(secret, scan)
    study = _key(secret, "study", identity.study) if identity.study else case
    # A study is of one patient, so its scans stay together even if a de-identification removed the Patient ID.
    patient = _key(secret, "patient", identity.number) if identity.number else study
    return Keys(case, patient, study)


def patient_keys(secret: bytes, identity: Identity) -> set[str]:
    """Possible keys of a patient in a store; empty if the identity names nobody.

    Earlier versions made the key of the issuer and the Patient ID as written; now the ID is brought to one form first.
    """
    if not identity.number or not identity.patient:
        return set()
    return {_key(secret, "patient", identity.number), _key(secret, "patient", identity.patient)}


def study_key(secret: bytes, identity: Identity) -> str | None:
    """The key of the study; None if it is not known."""
    return _key(secret, "study", identity.study) if identity.study else None


def case_key(secret: bytes, scan: Scan) -> str:
    """The key of a scan from the hash of its source file or, without one, of its counts."""
    if scan.source_sha256:
        return source_key(secret, scan.source_sha256)
    return _key(secret, "counts", planes_sha256(scan.counts))


def source_key(secret: bytes, source_sha256: str) -> str:
    """The key of a scan whose source file has this hash."""
    return _key(secret, "source", source_sha256)


def encrypt_hash(secret: bytes, case: str, image_sha256: str) -> str:
    """Encrypt the hash of a case's counts (see `plane_files.planes_sha256`) with the store's secret.

    Returns
    -------
    str
        80 hexadecimal digits: the hash, encrypted with a different pad for each case, and 16 digits that detect a wrong
        secret.
    """
    return _with_pad(secret, case, image_sha256) + _key(secret, f"image of {case}", image_sha256)


def decrypt_hash(secret: bytes, case: str, encrypted: str) -> str | None:
    """Decrypt a hash from `encrypt_hash`; None if the secret is wrong or the hash is not encrypted."""
    if _ENCRYPTED.fullmatch(encrypted) is None:
        return None
    plain = _with_pad(secret, case, encrypted[:-_HEX_DIGITS])
    return plain if encrypt_hash(secret, case, plain) == encrypted else None


def _with_pad(secret: bytes, case: str, digits: str) -> str:
    pad = hmac.digest(secret, f"pad of {case}".encode(), "sha256")
    return bytes(a ^ b for a, b in zip(bytes.fromhex(digits), pad, strict=True)).hex()


def _key(secret: bytes, kind: str, identifier: str) -> str:
    # The kind is hashed, too: a study and a patient with the same number must have different keys.
    return hmac.new(secret, f"{kind}\n{identifier}".encode(), hashlib.sha256).hexdigest()[:_HEX_DIGITS]
