"""Whose corrected scans are never trained on, so that every round is judged on patients that none has seen."""

from __future__ import annotations

import hashlib

SHARE = 0.2
"""Share of the patients that are held out, on average."""

FEWEST_PATIENTS = 5
"""With fewer held out it cannot be told whether new weights are better."""

# Never change it: a patient who was trained on would be judged on.
_FIXED = "napari-bonescint held out 1\n"


def is_held_out(patient_key: str) -> bool:
    """Whether a patient is held out: one in five is, by nothing but a hash of the key, and so for ever.

    Parameters
    ----------
    patient_key : str
        Of the patient in a label store, see `corrections.keys`. The same patient has another key in another store.
    """
    digest = hashlib.sha256((_FIXED + patient_key).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 < SHARE
