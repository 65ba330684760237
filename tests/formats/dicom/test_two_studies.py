from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydicom.dataset import Dataset

from dicom_files import code, nm_dataset, save, some_counts
from napari_bonescint.formats.dicom.two_studies import PatientMatch, read_two_studies
from napari_bonescint.formats.pictures.raster import looks_like_raster

if TYPE_CHECKING:
    from pathlib import Path


def study(path: Path, **stated: str) -> Path:
    ds = nm_dataset(some_counts(2))
    for keyword, value in stated.items():
        setattr(ds, keyword, value)
    save(ds, path)
    return path


def with_tracer(path: Path, text: str, injected: str, taken: str, *, coded: bool = False) -> Path:
    ds = nm_dataset(some_counts(2))
    item = Dataset()
    if coded:
        item.RadiopharmaceuticalCodeSequence = [code("SCT", "0", text)]
    else:
        item.Radiopharmaceutical = text
    item.RadiopharmaceuticalStartTime = injected
    ds.RadiopharmaceuticalInformationSequence = [item]
    ds.AcquisitionDate, ds.AcquisitionTime = "20240305", taken
    save(ds, path)
    return path


PERSON = {"PatientID": "12-34", "PatientName": "Müller^Hanna", "PatientBirthDate": "19500102"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, PatientMatch.SAME),
        ({"PatientID": "001234"}, PatientMatch.SAME),
        # Two hospitals give one patient two numbers.
        ({"PatientID": "998"}, PatientMatch.SAME),
        ({"PatientID": "998", "PatientName": "Mueller^Hanna"}, PatientMatch.SAME),
        # A changed surname.
        ({"PatientName": "Schmidt^Hanna"}, PatientMatch.SAME),
        ({"PatientID": "998", "PatientName": "Schmidt^Hanna"}, PatientMatch.OTHER),
        ({"PatientID": "998", "PatientBirthDate": "19510102"}, PatientMatch.OTHER),
        ({"PatientBirthDate": "19510102"}, PatientMatch.OTHER),
        ({"PatientBirthDate": "", "PatientName": "Someone^Else"}, PatientMatch.OTHER),
        ({"PatientID": "998", "PatientBirthDate": "", "PatientName": ""}, PatientMatch.OTHER),
        ({"PatientID": "", "PatientBirthDate": "", "PatientName": ""}, PatientMatch.UNKNOWN),
        ({"PatientID": "ANONYMOUS", "PatientBirthDate": "", "PatientName": "Anonymous"}, PatientMatch.UNKNOWN),
        ({"PatientID": "", "PatientBirthDate": ""}, PatientMatch.UNKNOWN),
    ],
)
def test_the_patients_of_two_files_are_compared(tmp_path, changed, expected):
    old = study(tmp_path / "old.dcm", **PERSON)
    new = study(tmp_path / "new.dcm", **{**PERSON, **changed})
    assert read_two_studies([new], [old]).patient is expected
    assert read_two_studies([old], [new]).patient is expected


@pytest.mark.parametrize(
    ("stated", "days"),
    [
        ({"StudyDate": "20240405"}, 31),
        ({"AcquisitionDate": "20240305", "StudyDate": "20200101"}, 0),
        ({"StudyDate": "20230305"}, -366),
        ({"StudyDate": ""}, None),
    ],
)
def test_only_the_number_of_days_between_the_scans_is_kept(tmp_path, stated, days):
    old = study(tmp_path / "old.dcm", StudyDate="20240305", **PERSON)
    new = study(tmp_path / "new.dcm", **{"StudyDate": "", **PERSON, **stated})
    found = read_two_studies([new], [old])
    assert found.days == days
    for secret in ("2024", "1950", "Hanna", "1234", "12-34"):
        assert secret not in repr(found)


def test_a_damaged_date_gives_no_days(tmp_path):
    old = study(tmp_path / "old.dcm", StudyDate="20240305", **PERSON)
    new = study(tmp_path / "new.dcm", StudyDate="20240405", **PERSON)
    new.write_bytes(new.read_bytes().replace(b"20240405", b"20241340"))
    assert read_two_studies([new], [old]).days is None


def test_tracers_and_times_after_injection_are_told(tmp_path):
    new = with_tracer(tmp_path / "new.dcm", "Technetium 99m HDP (given to Hanna)", "101500", "131500")
    old = with_tracer(tmp_path / "old.dcm", "Technetium Tc^99^m medronate", "230000", "010000", coded=True)
    found = read_two_studies([new], [old])
    assert found.tracers == ("HDP", "MDP")
    assert found.hours == (3.0, 2.0)
    implausible = with_tracer(tmp_path / "odd.dcm", "Kool-Aid", "", "131500")
    assert read_two_studies([implausible], [old]).tracers == ("", "MDP")
    assert read_two_studies([implausible], [old]).hours[0] is None


def test_pictures_and_missing_files_say_nothing(tmp_path):
    old = study(tmp_path / "old.dcm", **PERSON)
    picture = tmp_path / "scan.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    assert looks_like_raster(picture.read_bytes()[:132])
    found = read_two_studies([picture], [old])
    assert (found.patient, found.days, found.unreadable) == (PatientMatch.UNKNOWN, None, False)
    gone = read_two_studies([tmp_path / "gone.dcm"], [old])
    assert (gone.patient, gone.days, gone.unreadable) == (PatientMatch.UNKNOWN, None, True)
    assert read_two_studies([], [old]).unreadable is False
