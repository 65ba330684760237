"""One table over the measures of many scans: a row for each scan, without patient identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.files.facts import build, one_sentence, read_json
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.files import csv_bytes
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_bonescint.measurement.files import RecordedMeasures

_INDEX = "bone_scan_index"
_FIRST = ("name", "views", _INDEX, f"{_INDEX}_with_distal", *(f"{_INDEX}_{region.name}" for region in REGIONS[1:]))
_NUMBERS = ("hot_spots", "suspicious_hot_spots")
_COMPARED = (*("days_since_prior", f"{_INDEX}_change", "new_lesions", "gone_lesions", "progression", "not_comparable"),)
_LAST = ("area_mm2", "models", "warnings")
NOT_MEASURED = "Not measured; the command's messages say why."


@dataclass(frozen=True)
class RecordedComparison:
    """The entries of a comparison's JSON file that the table needs; see `ComparisonFiles`."""

    source_sha256: str
    prior: dict[str, Any]
    days: int | None
    bone_scan_index: dict[str, Any]
    lesions: tuple[dict[str, Any], ...]
    not_comparable: tuple[str, ...]
    follow_up: dict[str, Any] = field(default_factory=dict)


def read_comparison(path: Path) -> RecordedComparison | None:
    """Read the comparison's JSON file; None if there is none, or another file has its name."""
    try:
        with one_sentence(ResultError):
            found = build(RecordedComparison, read_json(path, file_names=True), unknown=True)
    except ResultError:
        return None
    return found if isinstance(found.follow_up.get("scans", []), list) else None


@dataclass(frozen=True)
class TableRow:
    """One scan of the table: its name, and its measures and comparison as far as they exist."""

    name: str
    measures: RecordedMeasures | None
    comparison: RecordedComparison | None = None


def scan_table(rows: Sequence[TableRow]) -> bytes:
    """A CSV table in UTF-8 with a row for each scan.

    Returns
    -------
    bytes
        The columns are the name, the views, the bone scan index (in all, with distal limbs, and the part of each
        region), numbers of hot spots, one column for each ratio that any scan has, the area of bone, names of models
        and warnings; if any scan was compared with a prior one, also the changes. A quantity that a scan does not have
        is an empty cell.
    """
    ratios = dict.fromkeys(ratio.name for row in rows if row.measures for ratio in row.measures.ratios)
    compared = _COMPARED if any(row.comparison for row in rows) else ()
    return csv_bytes((*_FIRST, *_NUMBERS, *ratios, *compared, *_LAST), map(_cells, rows))


def _cells(row: TableRow) -> Mapping[str, Any]:
    recorded, comparison = row.measures, row.comparison
    if recorded is None:
        return {"name": row.name, "warnings": NOT_MEASURED}
    index, spots = recorded.bone_scan_index, recorded.hot_spots
    whole = [region.area_mm2 for region in recorded.regions if region.region == "skeleton" and not region.side]
    areas = [area for area in whole if area is not None]
    return {
        "name": row.name,
        "views": " ".join(str(view["name"]) for view in recorded.views),
        _INDEX: index.total,
        f"{_INDEX}_with_distal": index.with_distal,
        **{f"{_INDEX}_{region.region}": region.index for region in index.by_region},
        "hot_spots": len(spots),
        "suspicious_hot_spots": sum(spot.suspicious for spot in spots),
        **{ratio.name: ratio.value for ratio in recorded.ratios},
        **({} if comparison is None else _changes(comparison)),
        "area_mm2": sum(areas) if areas else None,
        "models": " ".join(recorded.models),
        "warnings": " ".join(recorded.warnings),
    }


def _changes(comparison: RecordedComparison) -> Mapping[str, Any]:
    changes = [lesion.get("change") for lesion in comparison.lesions]
    return {
        "days_since_prior": comparison.days,
        f"{_INDEX}_change": comparison.bone_scan_index.get("change"),
        "new_lesions": changes.count(Change.NEW),
        "gone_lesions": changes.count(Change.GONE),
        "progression": comparison.follow_up.get("progression"),
        "not_comparable": " ".join(comparison.not_comparable),
    }
