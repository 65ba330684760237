from __future__ import annotations

import gc

import pytest

from napari_bonescint.gui.common.garbage_collection import without_collection


def test_collecting_goes_on_afterwards_whatever_happens() -> None:
    def break_off() -> None:
        with without_collection():
            assert not gc.isenabled()
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_off()
    assert gc.isenabled()


def test_two_at_a_time_leave_it_on_in_the_end() -> None:
    first, second = without_collection(), without_collection()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_who_turned_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with without_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
