"""All texts of a report, for the pages in any format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.measurement.bone_scan_index import DEFINITION, DISTAL_LIMBS
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.measurement.report.changes import change_definitions, changes_of
from napari_bonescint.measurement.report.lesions import SHORT_VIEWS, count_lesions
from napari_bonescint.measurement.report.region_ratios import LEFT_RIGHT, other_ratios, ratios_of_regions
from napari_bonescint.measurement.report.source import Study
from napari_bonescint.scan import ViewName
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.measures import HotSpot, Measured, Measures
    from napari_bonescint.measurement.report.changes import Changes
    from napari_bonescint.measurement.report.source import Patient
    from napari_bonescint.scan import Scan

UNKNOWN = "–"
"""Stands in a table for what the input does not allow."""
MOST_SENTENCES = 8
"""Warnings on the pages."""

HOT_SPOT_HEADINGS = (
    *("No.", "View", "Region", "Side", "mm²", "Peak ratio", "Mean ratio", "Prob.", "Verdict", "Set by"),
    *("Other view", "Reason"),
)
NUMBER_COLUMNS = range(4, 8)
"""Columns of that table that hold numbers."""

_LEGEND = (
    "In the picture, green lines are the outlines of regions; suspicious hot spots are red, the others blue, with the "
    "numbers of the table."
)
_SACROILIAC = (
    "Sacroiliac joints (orange) and sacrum (violet) in the posterior view, and the mean counts across them over those "
    "of the sacrum. Each horizontal line is the mean of its region: the ratio of the table."
)
_COLUMNS = (
    "Peak and mean ratio: highest and mean counts of a hot spot over the median counts of its region, on its side and "
    "in its view, outside hot spots. Hot: share of the region's area in suspicious hot spots. L/R: mean counts of "
    "the patient's left side over those of the right; both: of the square root of both views' counts multiplied."
)


@dataclass(frozen=True)
class HotSpotRow:
    """One row of the table of hot spots; `cells` are those of `HOT_SPOT_HEADINGS`."""

    cells: tuple[str, ...]
    suspicious: bool


@dataclass(frozen=True)
class Table:
    """A table with the texts of its headings and cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Content:
    """The texts of a report.

    Attributes
    ----------
    patient : tuple of (str, str)
        Name, ID and birth date; empty unless the user asked for them. The names stand in several scripts.
    study : tuple of (str, str)
        Facts about the study and the images, with their labels.
    index, index_details : str
        The bone scan index in large figures, and more about it.
    summary : str
        Number of hot spots and lesions.
    hot_spots : tuple of HotSpotRow
        The table of hot spots, suspicious ones first.
    left_out : str
        A sentence about rows that do not fit on the pages; or empty.
    regions : Table
        Index and ratios of sides by region.
    ratios : Table
        Ratios of uptake with their definitions.
    changes : Changes or None
        The comparison with a prior scan.
    warnings : tuple of str
        Sentences about the scan and its measures.
    definitions : tuple of str
        Definitions of the numbers.
    models : tuple of (str, str)
        Names of the models, and sentences with the hashes of their weights.
    source : str
        Hash of the scan's files; it also stands in the properties of each file.
    """

    patient: tuple[tuple[str, str], ...]
    study: tuple[tuple[str, str], ...]
    index: str
    index_details: str
    summary: str
    hot_spots: tuple[HotSpotRow, ...]
    regions: Table
    ratios: Table
    changes: Changes | None
    warnings: tuple[str, ...]
    definitions: tuple[str, ...]
    models: tuple[tuple[str, str], ...]
    source: str
    left_out: str = ""
    legend: str = _LEGEND
    sacroiliac: str = _SACROILIAC
    title: str = "Bone scan: measurements"
    footer: str = RESEARCH_ONLY
    program: str = field(default=f"napari-bonescint {__version__}")


def content_of(
    scan: Scan,
    measured: Measured,
    *,
    source: str,
    study: Study | None = None,
    patient: Patient | None = None,
    comparison: Comparison | None = None,
) -> Content:
    """Write all texts of a report.

    Parameters
    ----------
    scan : Scan
        The scan.
    measured : Measured
        Its measures.
    source : str
        Hash of the scan's files.
    study : Study, optional
        Facts from its DICOM files.
    patient : Patient, optional
        The patient, if the pages are to state the identity.
    comparison : Comparison, optional
        Comparison with a prior scan.
    """
    measures = measured.measures
    return Content(
        patient=() if patient is None else _patient_rows(patient),
        study=_study_rows(scan, Study() if study is None else study),
        index=f"{measures.index.total:.2f} %",
        index_details=_index_details(measures),
        summary=_summary(measures.hot_spots),
        hot_spots=tuple(map(_hot_spot_row, _in_order(measures.hot_spots))),
        regions=_region_table(measures, comparison),
        ratios=_ratio_table(measures),
        changes=None if comparison is None else changes_of(comparison),
        warnings=_warnings(scan, measures, comparison),
        definitions=(DEFINITION, _COLUMNS, *(() if comparison is None else (change_definitions(),))),
        models=tuple(
            (name, f"SHA-256 {sha256}" if sha256 else "a rule without weights")
            for name, sha256 in measures.models.items()
        ),
        source=source,
    )


def number(value: float | None, digits: int = 2) -> str:
    """A number as text, or the sign for an unknown one."""
    return UNKNOWN if value is None else f"{value:.{digits}f}"


def label(name: str) -> str:
    """The name of a region or a quantity as text."""
    return name.replace("_", " ")


def _patient_rows(patient: Patient) -> tuple[tuple[str, str], ...]:
    rows = [("Name", " = ".join(patient.names)), ("ID", patient.patient_id), ("Birth date", patient.birth_date)]
    return tuple((name, text or "not stated in the file") for name, text in rows)


def _study_rows(scan: Scan, study: Study) -> tuple[tuple[str, str], ...]:
    minutes = study.minutes_after_injection
    camera = " ".join(str(scan.acquisition[name]) for name in ("manufacturer", "model") if name in scan.acquisition)
    counts = scan.acquisition.get("counts_accumulated")
    total, height, width = scan.counts.shape
    pixel = "unknown size" if scan.spacing is None else f"{scan.spacing[1]:.3g} x {scan.spacing[0]:.3g} mm"
    rows = [
        ("Study date", study.day or "not stated in the file"),
        ("Acquired", study.acquired if study.acquired != study.day else ""),
        ("Tracer", study.tracer),
        ("Activity", "" if study.activity_mbq is None else f"{study.activity_mbq:.0f} MBq"),
        ("After injection", "" if minutes is None else f"{minutes // 60} h {minutes % 60:02d} min"),
        ("Camera", camera),
        ("Counts", f"{counts / 1e6:.2f} million" if isinstance(counts, (int, float)) else ""),
        ("Images", f"{counted(total, 'view')}, {width} x {height} pixels of {pixel}"),
    ]
    return tuple((name, text) for name, text in rows if text)


def _index_details(measures: Measures) -> str:
    index = measures.index
    views = ", ".join(f"{view} alone {value:.2f} %" for view, value in index.by_view.items())
    distal = ", ".join(label(name) for name in DISTAL_LIMBS)
    details = f"With distal limbs ({distal}): {index.with_distal:.2f} %."
    return f"{details} {views[0].upper()}{views[1:]}." if len(index.by_view) > 1 else details


def _summary(spots: Sequence[HotSpot]) -> str:
    if not spots:
        return "No hot spots."
    suspicious = sum(spot.suspicious for spot in spots)
    if not suspicious:
        return f"{counted(len(spots), 'hot spot')}, none suspicious."
    lesions = counted(count_lesions(spots), "lesion")
    once = ", each counted once for both views" if any(spot.other_view_id for spot in spots) else ""
    return f"{counted(len(spots), 'hot spot')}, {suspicious} suspicious: {lesions}{once}."


def _in_order(spots: Iterable[HotSpot]) -> list[HotSpot]:
    """Suspicious hot spots first, then by probability or, without it, by their ratio."""
    return sorted(spots, key=lambda spot: (not spot.suspicious, -(spot.probability or 0), -spot.peak_ratio))


def _hot_spot_row(spot: HotSpot) -> HotSpotRow:
    other = "" if spot.other_view_id is None else f"{SHORT_VIEWS[spot.view.opposite]} {spot.other_view_id}"
    cells = (
        *(str(spot.id), SHORT_VIEWS[spot.view], label(spot.region), spot.side, number(spot.area_mm2, 0)),
        *(number(spot.peak_ratio, 1), number(spot.mean_ratio, 1)),
        UNKNOWN if spot.probability is None else f"{100 * spot.probability:.0f} %",
        "suspicious" if spot.suspicious else "not suspicious",
        "reader" if spot.verdict.by_reader else "rule" if spot.probability is None else "model",
        other,
        spot.reason,
    )
    return HotSpotRow(cells, spot.suspicious)


def _region_table(measures: Measures, comparison: Comparison | None) -> Table:
    """Index of each region, its change, and the ratio of left to right in each view."""
    before = {} if comparison is None else {change.name: change.change for change in comparison.by_region}
    sides = {(row.region, row.view): row.left_right_ratio for row in measures.regions if not row.side}
    both = ratios_of_regions(measures.ratios, LEFT_RIGHT)
    views = [view for view in ViewName if any(row.view is view for row in measures.regions)]
    headings = ("Region", "Hot %", "Mass %", "Index %", *(("Change",) if before else ()))
    rows = []
    for part in measures.index.by_region:
        involved = 100 * part.hot_pixels / part.pixels if part.pixels else 0
        cells = [label(part.region), f"{involved:.1f}", f"{part.mass_percent:.2f}", f"{part.index:.2f}"]
        if before:
            change = before.get(part.region)
            cells.append(UNKNOWN if change is None else f"{change:+.2f}")
        cells += [number(sides.get((part.region, view))) for view in views]
        rows.append((*cells, *([number(both.get(part.region))] if both else ())))
    return Table(
        (*headings, *(f"L/R {SHORT_VIEWS[view]}" for view in views), *(["L/R both"] if both else ())), tuple(rows)
    )


def _ratio_table(measures: Measures) -> Table:
    rows = [
        (label(ratio.name), number(ratio.value), ratio.definition)
        for ratio in other_ratios(measures.ratios)
        if ratio.value is not None
    ]
    return Table(("Ratio of uptake", "Value", "Definition"), tuple(rows))


def _absent(measures: Measures) -> list[str]:
    """Sentences about what the input does not allow, one for each reason."""
    absent: dict[str, list[str]] = {}
    for name, reason in measures.absent.items():
        absent.setdefault(reason, []).append(label(name))
    for ratio in other_ratios(measures.ratios):
        if ratio.value is None:
            absent.setdefault(ratio.absent, []).append(label(ratio.name))
    return [f"Not measured: {', '.join(names)}. {reason}" for reason, names in absent.items()]


def _warnings(scan: Scan, measures: Measures, comparison: Comparison | None) -> tuple[str, ...]:
    sentences = [
        *scan.warnings,
        *measures.warnings,
        *_absent(measures),
        *(() if comparison is None else comparison.warnings),
    ]
    unique = list(dict.fromkeys(sentences))
    if len(unique) <= MOST_SENTENCES:
        return tuple(unique)
    shown = unique[: MOST_SENTENCES - 1]
    return (*shown, f"{counted(len(unique) - len(shown), 'more warning')} in the file of measures.")
