"""One table over the measures of many scans: a row for each scan, without patient identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.files import csv_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_bonescint.measurement.files import RecordedMeasures

_INDEX = "bone_scan_index"
_FIRST = ("name", "views", _INDEX, f"{_INDEX}_with_distal", *(f"{_INDEX}_{region.name}" for region in REGIONS[1:]))
_NUMBERS = ("hot_spots", "suspicious_hot_spots")
_LAST = ("area_mm2", "models", "warnings")
NOT_MEASURED = "Not measured; the command's messages say why."


def scan_table(rows: Sequence[tuple[str, RecordedMeasures | None]]) -> bytes:
    """A CSV table in UTF-8 with a row for each scan.

    Parameters
    ----------
    rows : sequence of (str, RecordedMeasures or None)
        Name and measures of each scan; None if it could not be measured.

    Returns
    -------
    bytes
        The columns are the name, the views, the bone scan index (in all, with distal limbs, and the part of each
        region), numbers of hot spots, one column for each ratio that any scan has, the area of bone, names of models
        and warnings. A quantity that a scan does not have is an empty cell.
    """
    ratios = dict.fromkeys(ratio.name for _, recorded in rows if recorded for ratio in recorded.ratios)
    columns = (*_FIRST, *_NUMBERS, *ratios, *_LAST)
    return csv_bytes(columns, (_row(name, recorded) for name, recorded in rows))


def _row(name: str, recorded: RecordedMeasures | None) -> Mapping[str, Any]:
    if recorded is None:
        return {"name": name, "warnings": NOT_MEASURED}
    index, spots = recorded.bone_scan_index, recorded.hot_spots
    whole = [row.area_mm2 for row in recorded.regions if row.region == "skeleton" and not row.side]
    areas = [area for area in whole if area is not None]
    return {
        "name": name,
        "views": " ".join(str(view["name"]) for view in recorded.views),
        _INDEX: index.total,
        f"{_INDEX}_with_distal": index.with_distal,
        **{f"{_INDEX}_{region.region}": region.index for region in index.by_region},
        "hot_spots": len(spots),
        "suspicious_hot_spots": sum(spot.suspicious for spot in spots),
        **{ratio.name: ratio.value for ratio in recorded.ratios},
        "area_mm2": sum(areas) if areas else None,
        "models": " ".join(recorded.models),
        "warnings": " ".join(recorded.warnings),
    }
