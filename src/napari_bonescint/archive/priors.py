"""Find the earlier bone scans of a patient in an archive, and tell which series may be planar bone scans."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from napari_bonescint.archive.progress import never
from napari_bonescint.archive.records import Query

if TYPE_CHECKING:
    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.progress import IsCancelled
    from napari_bonescint.archive.records import Series, Study

# Words for a whole-body bone scan in descriptions: English, German, French, Spanish, Italian and Dutch.
_WORDS = re.compile(
    r"whole[ -]?body|\bwb\b|bone|skel|ganzk(ö|oe)rper|knochen|\bos\b|osse|corps entier|cuerpo entero|[óo]sea|"
    r"total body|\btb\b|bot",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(r"spect|tomo|\bct\b|recon|myocard|thyr|renal|lung", re.IGNORECASE)


def may_be_bone_scan(description: str) -> bool:
    """True if the description of a study or series names a whole-body bone scan."""
    return _WORDS.search(description) is not None and _OTHERWISE.search(description) is None


def why_not(series: Series) -> str:
    """One sentence on why a series cannot be segmented; empty if it may be a planar scan."""
    if series.modality not in ("NM", ""):
        return f"The series is {series.modality or 'of no modality'}; only planar NM images can be segmented."
    return ""


def bone_scans_first(series: tuple[Series, ...]) -> tuple[Series, ...]:
    """The series with those first that may be planar bone scans by modality and description."""
    return tuple(
        sorted(series, key=lambda each: (bool(why_not(each)), not may_be_bone_scan(each.description), each.number or 0))
    )


def find_priors(archive: Archive, study: Study, *, is_cancelled: IsCancelled = never) -> tuple[Study, ...]:
    """The patient's NM studies before a study, newest first, those with the name of a bone scan before others."""
    if not study.patient_id:
        return ()
    found = archive.find_studies(Query(patient_id=_literal(study.patient_id)), is_cancelled=is_cancelled)
    earlier = [
        each
        for each in found.items
        if each.uid != study.uid
        and each.patient_id == study.patient_id
        and (each.date, each.time) < (study.date, study.time)
    ]
    return tuple(sorted(earlier, key=lambda each: not may_be_bone_scan(each.description)))


def _literal(patient_id: str) -> str:
    """A patient identifier in which a wildcard matches one character; the answers are compared afterwards."""
    return patient_id.replace("*", "?")
