from __future__ import annotations

from dataclasses import replace

import pytest

from napari_bonescint.archive.records import Found, Series, Study
from napari_bonescint.gui.archive.rows import (
    readable_name,
    series_cells,
    shown_studies,
    study_cells,
    study_hint,
    summary,
)

STUDY = Study("1.2", "4711", "Smith^Ann^^Dr.", "19500102", "A1", "20260301", "101500", "Bone scan", ("NM",), 1, 2)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Smith^Ann^^Dr.", "Smith, Ann, Dr."), ("Yamada^Tarou=山田^太郎", "Yamada, Tarou"), ("", "")],
)
def test_a_name_is_readable(name: str, shown: str) -> None:
    assert readable_name(name) == shown


def test_rows_say_what_the_archive_says_and_no_more() -> None:
    assert study_cells(STUDY) == ("2026-03-01\n2 images", "Smith, Ann, Dr.\n4711 · Bone scan")
    assert study_hint(STUDY) == "Born: 1950-01-02\nAccession: A1\nKinds: NM"
    bare = Study("1.2", "", "", "", "", "", "", "", (), None, None)
    assert study_cells(bare) == ("\n", "\n")
    assert study_hint(bare) == ""
    series = Series("1.2", "1.2.3", "CT", "Chest", 4, 90)
    assert series_cells(series, "") == ("CT", "Series 4 · Chest · 90 images")
    kind, text = series_cells(series, "The series is CT; only planar NM images can be segmented.")
    assert kind == "CT"
    assert text.replace("\n", " ").endswith("only planar NM images can be segmented.")
    assert all(len(line) <= 40 for line in text.splitlines())


def test_whole_body_hides_other_studies_and_says_how_many() -> None:
    thyroid, unnamed = replace(STUDY, description="Thyroid"), replace(STUDY, description="")
    studies = (STUDY, thyroid, unnamed)
    assert shown_studies(studies, whole_body=True) == [STUDY, unnamed]
    assert shown_studies(studies, whole_body=False) == list(studies)
    assert summary(Found(studies), 3) == "3 studies."
    assert summary(Found(()), 0) == "No study matches."
    assert summary(Found(studies, complete=False, left_out=1), 2) == (
        "2 studies. 1 more is hidden, whose description names no bone scan; untick Whole body to see. "
        "The archive has more; search for something narrower. 1 answer had no valid identifier."
    )
