"""The three parts of the patients of a label store: judged, validating and trained; they never change.

A model looks better than it is if it is judged on patients of an earlier training, or on patients who chose its
checkpoint. Therefore the part depends only on the patient's key.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

SHARE = 0.2
"""Average share of the patients who are held out for judging."""

VALIDATION_SHARE = 0.125
"""Average share of the other patients who validate."""

FEWEST_PATIENTS = 5
"""With fewer held-out patients, new weights cannot be judged."""

# Never change these texts: a patient who was trained on could then be judged.
_HELD_OUT = "napari-bonescint held out 1\n"
_VALIDATING = "napari-bonescint validating 1\n"


class Part(StrEnum):
    """The use of a patient's scans, in order of exposure: a patient never changes to a later part."""

    TRAINED = "trained"
    VALIDATING = "validating"
    JUDGED = "judged"


def part_of_patient(patient_key: str) -> Part:
    """The part of a patient, from hashes of the key (see `keys.Keys`), so it never changes.

    One patient in five is held out, only for judging. One in eight of the others validates: chooses the checkpoint and
    fits the temperature. The others train.
    """
    if _fraction(_HELD_OUT, patient_key) < SHARE:
        return Part.JUDGED
    return Part.VALIDATING if _fraction(_VALIDATING, patient_key) < VALIDATION_SHARE else Part.TRAINED


def _fraction(purpose: str, patient_key: str) -> float:
    """A pseudo-random number from 0 to 1, always the same for a purpose and key."""
    return int.from_bytes(hashlib.sha256((purpose + patient_key).encode()).digest()[:8]) / 2**64
