from __future__ import annotations

import hashlib

from napari_bonescint.training.held_out import is_held_out


def test_one_patient_in_five_is_held_out() -> None:
    keys = [hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(2000)]
    # Three standard deviations of 2000 draws are 54.
    assert abs(sum(map(is_held_out, keys)) - 400) < 54


def test_who_is_held_out_never_changes() -> None:
    held_out = [key for key in "abcdefghijklmnopqrst" if is_held_out(key)]
    assert held_out == ["d", "e"]
