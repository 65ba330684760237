from __future__ import annotations

import hashlib
from collections import Counter

from napari_bonescint.corrections.store.patient_split import Part, part_of_patient


def test_one_patient_in_five_judges_and_of_the_others_one_in_eight_validates() -> None:
    parts = Counter(part_of_patient(hashlib.sha256(str(number).encode()).hexdigest()[:16]) for number in range(2000))
    # Three standard deviations of 2000 draws are 54, and 40 of those that validate.
    assert abs(parts[Part.JUDGED] - 400) < 54
    assert abs(parts[Part.VALIDATING] - 200) < 40
    assert parts.total() == 2000


def test_who_is_held_out_never_changes() -> None:
    held_out = [key for key in "abcdefghijklmnopqrst" if part_of_patient(key) is Part.JUDGED]
    assert held_out == ["d", "e"]


def test_who_validates_never_changes() -> None:
    assert [key for key in "abcdefghijklmnopqrst" if part_of_patient(key) is Part.VALIDATING] == ["r", "t"]
