"""Columns of the tables: titles, explanations, and the text of each cell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_bonescint.measurement.measures import HotSpot, Ratio, RegionUptake


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    title : str
    explanation : str
        Tooltip of the title.
    value : callable
        The value of a record, by which the table is sorted; None if there is none.
    digits : int or None
        Digits after the decimal point; None for text.
    whole_from : float
        Values from here on have no digits after the decimal point.
    """

    title: str
    explanation: str
    value: Callable[[Any], Any]
    digits: int | None = None
    whole_from: float = math.inf

    def text(self, record: object) -> str:
        """The text of a cell; empty if there is no value."""
        value = self.value(record)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if self.digits is None:
            return str(value)
        digits = 0 if abs(value) >= self.whole_from else self.digits
        return f"{value:,.{digits}f}".replace(",", "\u202f")


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def region_name(name: str) -> str:
    """A region for a table: ``lumbar spine``; hot spots beside all bones have no region."""
    return "beside bone" if name == "background" else name.replace("_", " ")


def _view(record: HotSpot | RegionUptake) -> str:
    return str(record.view).replace("erior", ".")


SPOT_COLUMNS: tuple[Column, ...] = (
    Column("No.", "Number of the hot spot in its view; a tick means suspicious", lambda spot: spot.id, 0),
    Column("Region", "The bone with most of its pixels", lambda spot: region_name(spot.region)),
    Column("Side", "The patient's side", lambda spot: spot.side),
    Column("View", "The view that shows it", _view),
    Column("mm²", "Area", lambda spot: spot.area_mm2, 0),
    Column("Peak", "Highest counts over the normal counts of its region", lambda spot: spot.peak_ratio, 1),
    Column("Prob.", "Calibrated probability of a metastasis, by the model", lambda spot: spot.probability, 2),
    Column("Reason", "The reason for the verdict", lambda spot: spot.reason),
)

REGION_COLUMNS: tuple[Column, ...] = (
    Column("Region", "The bone; skeleton for all bones together", lambda region: region_name(region.region)),
    Column("Side", "The patient's side; empty for the whole bone", lambda region: region.side),
    Column("View", "The view", _view),
    Column("mm²", "Area", lambda region: region.area_mm2, 0),
    Column("Counts", "Sum of the counts", lambda region: region.counts, 0),
    Column("Mean", "Counts per pixel", lambda region: region.mean_counts, 2),
    Column("%", "Share of the body's counts, without bladder and injection site",
           lambda region: _percent(region.share_of_counts), 1),
    Column("L/R", "Mean counts left over right", lambda region: region.left_right_ratio, 2),
)  # fmt: skip

RATIO_COLUMNS: tuple[Column, ...] = (
    Column("Ratio", "Name", lambda ratio: region_name(ratio.name)),
    Column("Value", "A ratio, or a geometric mean of counts", lambda ratio: ratio.value, 2, whole_from=100),
    Column("Definition", "Definition, or the reason why there is no value", lambda ratio: _about(ratio)),
)

CHANGE_COLUMNS: tuple[Column, ...] = (
    Column("No.", "Number of the lesion, from the head down", lambda lesion: lesion.number, 0),
    Column("Change", "Change from the prior to the new scan", lambda lesion: str(lesion.change)),
    Column("Region", "The bone of its largest hot spot", lambda lesion: region_name(lesion.region)),
    Column("Side", "The patient's side", lambda lesion: lesion.side),
    Column("Area ×", "Area in the new over that in the prior scan", lambda lesion: lesion.area_ratio, 1),
    Column(
        "Uptake ×",
        "Uptake above normal in the new over that in the prior scan, within the outlines of both",
        lambda lesion: lesion.uptake_ratio,
        1,
    ),
    Column("Reason", "The reason for the word", lambda lesion: lesion.reason),
)


def _about(ratio: Ratio) -> str:
    return ratio.definition if ratio.value is not None else ratio.absent


def as_text(columns: Iterable[Column], records: Iterable[object]) -> str:
    """Rows for the clipboard, with tabs between the cells and a line of titles."""
    columns = tuple(columns)
    lines = [[column.title for column in columns], *([column.text(record) for column in columns] for record in records)]
    return "\n".join("\t".join(line) for line in lines)
