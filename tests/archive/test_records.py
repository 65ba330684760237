from __future__ import annotations

from datetime import date

import pytest

from napari_bonescint.archive.priors import bone_scans_first, may_be_bone_scan, why_not
from napari_bonescint.archive.records import Query, Series, Study, is_uid, plain


def test_a_query_is_asked_with_wildcards_and_ranges() -> None:
    query = Query(patient_name="Smith", since=date(2026, 1, 2), modality="nm")
    assert query.matching() == {"PatientName": "Smith*", "StudyDate": "20260102-", "ModalitiesInStudy": "NM"}
    assert Query(until=date(2026, 1, 2), modality="").matching() == {"StudyDate": "-20260102"}
    assert Query(since=date(2026, 1, 2), until=date(2026, 1, 2)).matching()["StudyDate"] == "20260102"


@pytest.mark.parametrize(
    "query",
    [
        Query(patient_id="a\\b"),
        Query(patient_name="a\nb"),
        Query(accession="x" * 300),
        Query(study_uid="../x"),
        Query(since=date(2026, 2, 1), until=date(2026, 1, 1)),
    ],
)
def test_a_query_that_cannot_be_asked_is_told(query: Query) -> None:
    assert query.problem().endswith(".")
    assert Query().problem() == ""


def test_texts_of_an_archive_become_harmless_lines() -> None:
    assert plain("a\x1b[2J\nb \u202e c") == r"a\x1b[2J b \u202e c"
    assert len(plain("x" * 10_000)) < 250


@pytest.mark.parametrize("uid", ["", "a", "1..2", ".1", "1.", "1/2", "1" * 65, "1.2\n", "\u0661"])
def test_what_is_no_identifier(uid: str) -> None:
    assert not is_uid(uid)
    assert is_uid("1.2.840.10008")


def test_a_study_fits_its_query() -> None:
    study = Study("1.2", "A[1]", "Müller^Ann", "", "", "", "", "", (), None, None)
    assert Query(patient_id="a[1]", patient_name="müll").fits(study)
    assert not Query(patient_name="Meier").fits(study)


def test_planar_bone_scans_come_first() -> None:
    def series(number: int, modality: str, description: str) -> Series:
        return Series("1", f"1.{number}", modality, description, number, 1)

    ct, spect, bone = series(1, "CT", "Bone 2.0"), series(2, "NM", "SPECT bone"), series(3, "NM", "Whole Body ANT/POST")
    assert bone_scans_first((ct, spect, bone)) == (bone, spect, ct)
    assert why_not(ct) == "The series is CT; only planar NM images can be segmented."
    assert why_not(bone) == ""
    words = ("Knochenszintigraphie", "Skelett", "WB bone", "Scintigraphie osseuse", "Gammagrafía ósea")
    assert all(map(may_be_bone_scan, words))
    assert not any(map(may_be_bone_scan, ("Thyroid", "Bone SPECT", "MPI stress", "Lungs")))
