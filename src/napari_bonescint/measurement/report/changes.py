"""The texts about a prior scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import DEFINITIONS
from napari_bonescint.measurement.report.lesions import SHORT_VIEWS
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from napari_bonescint.measurement.comparison.changes import Comparison, IndexChange, LesionChange, SpotKey

CHANGE_HEADINGS = ("Change", "Region", "Side", "Hot spots now", "Hot spots before", "Area", "Reason")
# What a reader looks for first.
_ORDER = (Change.NEW, Change.LARGER, Change.GONE, Change.SMALLER, Change.UNSEEN, Change.SAME)


@dataclass(frozen=True)
class Changes:
    """Change since a prior scan.

    Attributes
    ----------
    index : str
        Change of the bone scan index, as a sentence.
    lesions : str
        Numbers of lesions by change, and the days between both scans.
    not_comparable : tuple of str
        Reasons against comparing both scans.
    rows : tuple of tuple of str
        One row for each lesion that is suspicious in one of both scans; cells as in `CHANGE_HEADINGS`.
    left_out : str
        A sentence about rows that do not fit on the pages; or empty.
    """

    index: str
    lesions: str
    not_comparable: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: str = ""


def changes_of(comparison: Comparison) -> Changes:
    """Write the texts about a comparison."""
    apart = "An unknown number of days" if comparison.days is None else counted(comparison.days, "day")
    counts = ", ".join(f"{comparison.count(change)} {change}" for change in _ORDER if comparison.count(change))
    lesions = sorted(comparison.lesions, key=lambda lesion: (_ORDER.index(lesion.change), lesion.number))
    return Changes(
        index=_index_sentence(comparison.index),
        lesions=f"{apart} between the scans. Lesions: {counts or 'none in either scan'}.",
        not_comparable=comparison.not_comparable,
        rows=tuple(map(_row, lesions)),
    )


def _index_sentence(index: IndexChange) -> str:
    if index.change is None or index.new is None or index.old is None:
        return "The change of the bone scan index is unknown."
    noise = f"the noise of repeat scans, {index.noise:.2f}"
    meaning = f"within {noise}" if index.within_noise else f"larger than {noise}"
    return f"Bone scan index {index.old:.2f} % before, {index.new:.2f} % now: {index.change:+.2f}, {meaning}."


def _row(lesion: LesionChange) -> tuple[str, ...]:
    area = "–" if lesion.area_ratio is None else f"x {lesion.area_ratio:.2f}"
    region = lesion.region.replace("_", " ")
    return (lesion.change, region, lesion.side, _spots(lesion.new), _spots(lesion.old), area, lesion.reason)


def _spots(keys: tuple[SpotKey, ...]) -> str:
    return ", ".join(f"{SHORT_VIEWS[key.view]} {key.id}" for key in keys)


def change_definitions() -> str:
    """Definitions of the words for changes, as one text."""
    return " ".join(f"{word.capitalize()}: {definition}" for word, definition in DEFINITIONS.items())
