"""Keys that tell patients, studies and scans apart without naming them.

A key is the HMAC-SHA256 (RFC 2104) of an identifier with the store's secret. Whoever has the store but not its secret
cannot find out whether a patient is in it by trying all hospital numbers; whoever has both can, so the secret stays at
home when a store is passed on. The same patient has other keys in another store.

The hash of an image is veiled: combined, bit by bit, with an HMAC of the case's key, so that it looks random to whoever
lacks the secret and can be had back by whoever has it, which is how the same scan is recognised in two stores.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.store.plane_files import planes_sha256

if TYPE_CHECKING:
    from napari_bonescint.formats.dicom.identity import Identity
    from napari_bonescint.scan import Scan

# 64 bits: among a million scans, two have the same key with a probability of 3 in 100 million.
_HEX_DIGITS = 16
_VEILED = re.compile("[0-9a-f]{80}")


class Keys(NamedTuple):
    """The keys of a scan.

    Attributes
    ----------
    case : str
        Of the source file, or of the counts where there is none.
    patient : str
        Of the patient, in whichever spelling, see `identity.patient_number`; of the study or else the scan where the
        patient is not known.
    study : str
        Of the study; of the scan where it is not known.
    """

    case: str
    patient: str
    study: str


def keys_of(secret: bytes, scan: Scan, identity: Identity) -> Keys:
    """The keys of a scan in the store with this secret."""
    case = case_key(secret, scan)
    study = _key(secret, "study", identity.study) if identity.study else case
    # A study belongs to one patient, so its scans stay together even if a de-identification emptied the Patient ID.
    patient = _key(secret, "patient", identity.number) if identity.number else study
    return Keys(case, patient, study)


def patient_keys(secret: bytes, identity: Identity) -> set[str]:
    """The keys under which a patient may be in a store, as this version makes them and as earlier ones did.

    Until Patient IDs were brought to one form, key of a patient was that of the issuer and the ID as they stood. Empty
    where the identity names nobody.
    """
    if not identity.number or not identity.patient:
        return set()
    return {_key(secret, "patient", identity.number), _key(secret, "patient", identity.patient)}


def study_key(secret: bytes, identity: Identity) -> str | None:
    """The key of the study; None where it is not known."""
    return _key(secret, "study", identity.study) if identity.study else None


def case_key(secret: bytes, scan: Scan) -> str:
    """The key of a scan, by the hash of its source or, without one, of its counts."""
    if scan.source_sha256:
        return source_key(secret, scan.source_sha256)
    return _key(secret, "counts", planes_sha256(scan.counts))


def source_key(secret: bytes, source_sha256: str) -> str:
    """The key of a scan that was read from a source with this hash."""
    return _key(secret, "source", source_sha256)


def veil(secret: bytes, case: str, image_sha256: str) -> str:
    """A keyed hash of an image, of which `unveil` makes the plain one again.

    Parameters
    ----------
    secret : bytes
        Of the store.
    case : str
        Key of the case that has the image.
    image_sha256 : str
        Hash of its counts, see `plane_files.planes_sha256`.

    Returns
    -------
    str
        80 hexadecimal digits: the hash under a pad of its own for each case, and 16 digits by which a wrong secret is
        found out.
    """
    return _under_pad(secret, case, image_sha256) + _key(secret, f"image of {case}", image_sha256)


def unveil(secret: bytes, case: str, veiled: str) -> str | None:
    """The plain hash of an image; None if it was veiled with another secret, or never.

    Parameters
    ----------
    secret : bytes
        Of a store.
    case : str
        Key of the case.
    veiled : str
        What `veil` gave.
    """
    if _VEILED.fullmatch(veiled) is None:
        return None
    plain = _under_pad(secret, case, veiled[:-_HEX_DIGITS])
    return plain if veil(secret, case, plain) == veiled else None


def _under_pad(secret: bytes, case: str, digits: str) -> str:
    pad = hmac.digest(secret, f"pad of {case}".encode(), "sha256")
    return bytes(a ^ b for a, b in zip(bytes.fromhex(digits), pad, strict=True)).hex()


def _key(secret: bytes, kind: str, identifier: str) -> str:
    # The kind is part of what is hashed: a study and a patient with the same number must not share a key.
    return hmac.new(secret, f"{kind}\n{identifier}".encode(), hashlib.sha256).hexdigest()[:_HEX_DIGITS]
