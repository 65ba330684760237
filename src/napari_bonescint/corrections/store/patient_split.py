"""The three parts of the patients of a label store: judged on, validated on, trained on; decided for ever.

A patient who was trained on in one round and judged on in the next would make every model look better than it is, and
so would one who chose the checkpoint that is then judged. So the parts depend on nothing but the patient's key.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

SHARE = 0.2
"""Share of the patients that are held out for judging, on average."""

VALIDATION_SHARE = 0.125
"""Share of the other patients that validate, on average."""

FEWEST_PATIENTS = 5
"""With fewer held out it cannot be told whether new weights are better."""

# Never change either: a patient who was trained on would be judged on.
_HELD_OUT = "napari-bonescint held out 1\n"
_VALIDATING = "napari-bonescint validating 1\n"


class Part(StrEnum):
    """What the scans of a patient are for.

    Members are in the order of exposure: what was trained on can never judge or validate, what validated never judge.
    """

    TRAINED = "trained"
    VALIDATING = "validating"
    JUDGED = "judged"


def part_of_patient(patient_key: str) -> Part:
    """What a patient's scans are for, by nothing but hashes of the key, and so for ever.

    One patient in five is held out for judging and touched by nothing else. Of the others one in eight validates, which
    means to choose the checkpoint and to fit the temperature. The rest trains.

    Parameters
    ----------
    patient_key : str
        See `keys.Keys`. The same patient has another key in another store.
    """
    if _fraction(_HELD_OUT, patient_key) < SHARE:
        return Part.JUDGED
    return Part.VALIDATING if _fraction(_VALIDATING, patient_key) < VALIDATION_SHARE else Part.TRAINED


def _fraction(purpose: str, patient_key: str) -> float:
    """A number from 0 to 1 that is fixed by purpose and key, and otherwise as good as random."""
    return int.from_bytes(hashlib.sha256((purpose + patient_key).encode()).digest()[:8]) / 2**64
