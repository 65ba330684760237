"""Texts of studies and series in the list of an archive, and which studies it shows."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from napari_bonescint.archive.priors import may_be_bone_scan
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_bonescint.archive.records import Found, Series, Study

_LINE = 40
COLUMNS = ("Date", "Patient and study")


def dashed(day: str) -> str:
    """A date of DICOM, ``20260301``, as ``2026-03-01``; other text as it is."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdecimal() else day


def readable_name(name: str) -> str:
    """A name of DICOM, ``Smith^Ann^^Dr.``, as ``Smith, Ann, Dr.``."""
    return ", ".join(filter(None, (part.strip() for part in name.split("=")[0].split("^"))))


def study_cells(study: Study) -> tuple[str, str]:
    """The row of a study, in two lines."""
    second = " · ".join(filter(None, (study.patient_id, study.description)))
    return f"{dashed(study.date)}\n{_images(study)}", f"{readable_name(study.patient_name)}\n{second}"


def study_hint(study: Study) -> str:
    """More about a study."""
    facts = (("Born", dashed(study.birth_date)), ("Accession", study.accession), ("Kinds", ", ".join(study.modalities)))
    return "\n".join(f"{title}: {text}" for title, text in facts if text)


def series_cells(series: Series, reason: str) -> tuple[str, str]:
    """The row of a series, with the reason why it cannot be opened."""
    number = "" if series.number is None else f"Series {series.number}"
    described = " · ".join(filter(None, (number, series.description, _images(series))))
    return series.modality, "\n".join((described, *textwrap.wrap(reason, _LINE)))


def _images(of: Study | Series) -> str:
    return "" if of.instances is None else counted(of.instances, "image")


def shown_studies(studies: Sequence[Study], *, whole_body: bool) -> list[Study]:
    """The studies that the list shows: all, or those that are whole-body bone scans by their description.

    A study without a description may be one.
    """
    return [each for each in studies if not whole_body or not each.description or may_be_bone_scan(each.description)]


def summary(found: Found[Study], shown: int) -> str:
    """What a search found, in a sentence or two."""
    said = ["No study matches."] if not found.items else [f"{shown} {'study' if shown == 1 else 'studies'}."]
    if hidden := len(found.items) - shown:
        verb = "is" if hidden == 1 else "are"
        said.append(f"{hidden} more {verb} hidden, whose description names no bone scan; untick Whole body to see.")
    if not found.complete:
        said.append("The archive has more; search for something narrower.")
    if found.left_out:
        said.append(f"{counted(found.left_out, 'answer')} had no valid identifier.")
    return " ".join(said)
