"""A comparison on disk: a JSON file that holds everything, and a table of the lesions.

The files lie beside the measures of the new scan, have the same stem, and are replaced together.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from napari_bonescint import __version__
from napari_bonescint.files.facts import build
from napari_bonescint.files.group import FileGroup
from napari_bonescint.measurement.comparison.comparing import DEFINITIONS
from napari_bonescint.measurement.comparison.follow_up import COUNTER_DEFINITION
from napari_bonescint.measurement.files import csv_bytes
from napari_bonescint.measurement.measures import RESEARCH_ONLY
from napari_bonescint.results import ResultError, describe_scan, read_recorded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_bonescint.measurement.comparison.changes import Comparison, IndexChange, LesionChange, SpotKey
    from napari_bonescint.measurement.comparison.follow_up import FollowUp
    from napari_bonescint.scan import Scan

LESION_COLUMNS = (
    *("number", "change", "region", "side", "new_hot_spots", "prior_hot_spots", "area_ratio", "suspicious"),
    *("suspicious_before", "view", "row", "column", "reason", "uptake_ratio", "uptake_limit"),
)

_READY = ".bonescint-compared-"
_PARTS = (".comparison.csv", ".comparison.json")
_TABLE, _FACTS = _PARTS


@dataclass(frozen=True)
class _Compared:
    """The entries of an existing file that tell what was compared."""

    source_sha256: str
    lesions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ComparisonFiles:
    """The paths of the comparison of one scan, in a folder and with names that begin with `stem`."""

    folder: Path
    stem: str

    @property
    def table(self) -> Path:
        """A CSV table with a row for each lesion."""
        return self._group.path(_TABLE)

    @property
    def facts(self) -> Path:
        """JSON file with the whole comparison; written last, so its existence means a complete result."""
        return self._group.main_path

    @property
    def _group(self) -> FileGroup:
        return FileGroup(self.folder, self.stem, _PARTS, _READY)

    def write(
        self, new: Scan, old: Scan, comparison: Comparison, follow_up: FollowUp | None = None
    ) -> tuple[Path, Path]:
        """Write both files, and replace those of an earlier comparison of the same scan.

        Parameters
        ----------
        new, old : Scan
            The scans that were compared.
        comparison : Comparison
            Their comparison.
        follow_up : FollowUp, optional
            The series that they belong to, if there are several prior scans.

        Returns
        -------
        tuple of Path
            The JSON file and the table.

        Raises
        ------
        ResultError
            If the JSON file is that of another scan, or holds no comparison.
        CannotWrite
            If the disk is full or the folder not writable.
        """
        self._require_own(new)
        facts = comparison_facts(new, old, comparison, follow_up)
        self._group.replace(
            {
                _TABLE: csv_bytes(LESION_COLUMNS, map(_row, comparison.lesions)),
                _FACTS: (json.dumps(facts, indent=1, allow_nan=False) + "\n").encode(),
            }
        )
        return self.facts, self.table

    def _require_own(self, new: Scan) -> None:
        compared = read_recorded(
            self._group, lambda facts: build(_Compared, facts, unknown=True), "holds no comparison"
        )
        if compared is not None and compared.source_sha256 != new.source_sha256:
            raise ResultError(
                f"{self.facts}: exists already and compares another scan than {new.name}; choose another folder."
            )


def comparison_facts(new: Scan, old: Scan, comparison: Comparison, follow_up: FollowUp | None = None) -> dict[str, Any]:
    """The content of the JSON file: no identity and no dates, and only the names of files."""
    facts: dict[str, Any] = {
        "about": RESEARCH_ONLY,
        **describe_scan(new),
        "prior": describe_scan(old),
        "days": comparison.days,
        "patient": comparison.patient.value,
        "not_comparable": list(map(str, comparison.not_comparable)),
        "warnings": list(map(str, comparison.warnings)),
        "bone_scan_index": _index(comparison.index),
        "bone_scan_index_with_distal": _index(comparison.index_with_distal),
        "by_region": [_index(each) for each in comparison.by_region],
        "lesions": [_lesion(each) for each in comparison.lesions],
        "prior_scale": {view.value: factor for view, factor in comparison.prior_scale.items()},
        "definitions": dict(DEFINITIONS),
        "version": __version__,
    }
    if follow_up is not None:
        facts["follow_up"] = {
            "scans": [asdict(scan) for scan in follow_up.scans],
            "progression": follow_up.progression.value,
            "counter": follow_up.counter,
            "definition": COUNTER_DEFINITION,
            "warnings": list(follow_up.warnings),
        }
    return facts


def _index(change: IndexChange) -> dict[str, Any]:
    return {**asdict(change), "change": change.change, "within_noise": change.within_noise}


def _lesion(lesion: LesionChange) -> dict[str, Any]:
    return {
        **asdict(lesion),
        "new": [key._asdict() for key in lesion.new],
        "old": [key._asdict() for key in lesion.old],
        "places": {view.value: list(place) for view, place in lesion.places.items()},
    }


def _row(lesion: LesionChange) -> dict[str, Any]:
    view, (row, column) = next(iter(lesion.places.items()), ("", (None, None)))
    return {
        **asdict(lesion),
        "new_hot_spots": _names(lesion.new),
        "prior_hot_spots": _names(lesion.old),
        "view": view,
        "row": row,
        "column": column,
    }


def _names(keys: Iterable[SpotKey]) -> str:
    return " + ".join(f"{key.view} {key.id}" for key in sorted(keys))
