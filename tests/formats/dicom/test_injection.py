"""Activity and time of the injection, by what a file states."""

from __future__ import annotations

import pytest

from napari_bonescint.formats.dicom.header import read_header
from napari_bonescint.formats.dicom.injection import activity_mbq, hours_after_injection
from reported import injected


@pytest.mark.parametrize(
    ("stated", "megabecquerels"), [("600400000", 600.4), ("0.6", None), ("-3", None), ("550", 550.0)]
)
def test_an_activity_is_in_megabecquerels_if_it_is_possible(stated, megabecquerels, write_nm):
    attributes = injected()
    attributes["RadiopharmaceuticalInformationSequence"][0].RadionuclideTotalDose = stated
    assert activity_mbq(read_header(write_nm(**attributes))) == megabecquerels


@pytest.mark.parametrize(("injection", "minutes"), [("0830", 180), ("xx", None), ("1131", 24 * 60 - 1)])
def test_the_time_of_the_injection_may_be_missing_or_on_the_day_before(injection, minutes, write_nm):
    attributes = injected()
    item = attributes["RadiopharmaceuticalInformationSequence"][0]
    item.add_new("RadiopharmaceuticalStartTime", "TM", injection) if injection != "xx" else item.pop(0x00181072)
    assert hours_after_injection(read_header(write_nm(**attributes))) == (minutes and minutes / 60)
