"""Summaries of all cases for the work list, with a cache, so that 10,000 cases are listed quickly.

``index.json`` can be deleted at any time. It has the modification times of the folders of revisions and predictions of
each case, which change with every record. A case with other times is read again, and also a case that had changed less
than three seconds before it was read, because another change may leave the same time. The file has columns, because
10,000 small JSON objects are slower to read.
"""

from __future__ import annotations

import json
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.corrections.errors import Damaged, reachable, unreachable
from napari_bonescint.corrections.store.case_files import CaseFiles
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.records.prediction import last_prediction
from napari_bonescint.corrections.store.records.revision import Revision
from napari_bonescint.files.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.corrections.store.files.plane_files import Shape

_CASE_KEY = re.compile("[0-9a-f]{16}")
_UNSETTLED_S = 3.0
# With fewer changed cases, reading them again is faster than writing the file.
_WORTH_WRITING = 64
_VERSION = 2

Stamps = tuple[int, int]


class CaseState(StrEnum):
    """State of a case."""

    NEW = "new"
    PREDICTED = "predicted"
    CORRECTED = "corrected"
    REVIEWED = "reviewed"


@dataclass(frozen=True)
class CaseSummary:
    """The facts about a case in a work list.

    Attributes
    ----------
    key, patient_key, study_key : str
        Its keys; see `keys.Keys`.
    views : tuple of ViewName
        One for each plane.
    shape : (int, int, int)
        Of the counts: (view, y, x).
    state : CaseState
        Reviewed or corrected, by the last revision; else predicted if there is a prediction; else new.
    annotator, when : str or None
        Annotator and time of the last revision, if there is one.
    uncertainty, predicted_dice : float or None
        Facts of the last prediction, if there is one.
    """

    key: str
    patient_key: str
    study_key: str
    views: tuple[ViewName, ...]
    shape: Shape
    state: CaseState
    annotator: str | None = None
    when: str | None = None
    uncertainty: float | None = None
    predicted_dice: float | None = None


class Revisions(NamedTuple):
    """The revisions of a case.

    Attributes
    ----------
    intact : list of Revision
        In order.
    damage : dict of int to str
        A sentence for each damaged revision, by its number.
    """

    intact: list[Revision]
    damage: dict[int, str]

    @property
    def later_damage(self) -> str:
        """The sentence about the last revision if it is damaged, else empty; an earlier revision cannot replace it."""
        last = max(self.damage, default=0)
        return self.damage[last] if last > max((revision.number for revision in self.intact), default=0) else ""


def revisions_of(case: CaseFiles) -> Revisions:
    """The revisions of a case; raises `Damaged` if their folder is missing, `StoreError` if it cannot be reached."""
    found = Revisions([], {})
    for number in append_only.numbers(case.revisions):
        try:
            found.intact.append(Revision.read(case.revisions, number))
        except Damaged as error:
            found.damage[number] = str(error)
    return found


def last_intact_revision(case: CaseFiles) -> Revision | None:
    """The last intact revision of a case, if there is one; raises as `revisions_of`."""
    for number in reversed(append_only.numbers(case.revisions)):
        with suppress(Damaged):
            return Revision.read(case.revisions, number)
    return None


def summarise(case: CaseFiles) -> CaseSummary:
    """The summary of a case from its own files; raises `Damaged` if ``case.json`` is damaged."""
    facts = case.facts()
    revision = last_intact_revision(case)
    prediction = last_prediction(case.predictions)
    if revision is not None:
        state = CaseState.REVIEWED if revision.reviewed else CaseState.CORRECTED
    else:
        state = CaseState.NEW if prediction is None else CaseState.PREDICTED
    return CaseSummary(
        key=case.key,
        patient_key=facts.patient_key,
        study_key=facts.study_key,
        views=tuple(view.name for view in facts.views),
        shape=facts.shape,
        state=state,
        annotator=revision.annotator if revision else None,
        when=revision.when if revision else None,
        uncertainty=prediction.uncertainty if prediction else None,
        predicted_dice=prediction.predicted_dice if prediction else None,
    )


class Index:
    """Summaries of all cases in a folder.

    Parameters
    ----------
    cases : Path
        The folder of the cases.
    cache : Path
        The file of the cache; it may be missing, damaged, outdated or in a read-only folder.

    Attributes
    ----------
    damaged : dict of str to str
        The reason for each damaged case, by its key; the last call of `summaries` left them out.
    """

    def __init__(self, cases: Path, cache: Path) -> None:
        self.damaged: dict[str, str] = {}
        self._cases = cases
        self._cache = cache
        self._known: dict[str, tuple[Stamps, CaseSummary]] | None = None

    def summaries(self) -> list[CaseSummary]:
        """Summaries of all intact cases, by key; raises `StoreError` if the folder or a file cannot be reached."""
        known = self._read_cache() if self._known is None else self._known
        current: dict[str, tuple[Stamps, CaseSummary]] = {}
        self.damaged = {}
        renewed = 0
        for key in case_keys(self._cases):
            try:
                stamps = _stamps(folder := f"{self._cases}{os.sep}{key}")
                entry = known.get(key)
                if entry is None or entry[0] != stamps:
                    renewed += 1
                    entry = (stamps if _are_settled(stamps) else (0, 0), summarise(CaseFiles(Path(folder))))
                current[key] = entry
            except Damaged as error:
                self.damaged[key] = str(error)
        self._known = current
        if renewed >= _WORTH_WRITING:
            self._write_cache()
        return [summary for _, summary in current.values()]

    def _read_cache(self) -> dict[str, tuple[Stamps, CaseSummary]]:
        try:
            kept = json.loads(self._cache.read_bytes())
            if kept["version"] != _VERSION:
                return {}
            columns = kept["cases"]
            if not all(_holds_only(columns[name], types) for name, types in _COLUMNS.items()):
                return {}
            for name, restore in _RESTORED.items():
                columns[name] = map(restore, columns[name])
            rows = zip(*(columns[field.name] for field in fields(CaseSummary)), strict=True)
            stamps = zip(*kept["stamps"], strict=True)
            return {row[0]: (stamp, CaseSummary(*row)) for stamp, row in zip(stamps, rows, strict=True)}
        except Exception:  # a damaged or foreign cache counts as empty
            return {}

    def _write_cache(self) -> None:
        entries = list((self._known or {}).values())
        columns = {field.name: [getattr(case, field.name) for _, case in entries] for field in fields(CaseSummary)}
        for name in ("views", "shape"):
            columns[name] = [" ".join(map(str, values)) for values in columns[name]]
        stamps = [[stamp[part] for stamp, _ in entries] for part in (0, 1)]
        content = {"version": _VERSION, "stamps": stamps, "cases": columns}
        # Without the cache everything works, only slower.
        with suppress(CannotWrite):
            write_bytes_atomically(self._cache, json.dumps(content).encode())


def case_keys(cases: Path) -> list[str]:
    """Keys of the cases in a folder, in order; raises `StoreError` if it cannot be reached."""
    with reachable(cases):
        return sorted(name for name in os.listdir(cases) if is_case_key(name))  # noqa: PTH208 - 10,000 paths


def is_case_key(name: str) -> bool:
    """Whether a name is the key of a case."""
    return _CASE_KEY.fullmatch(name) is not None


def _stamps(folder: str) -> Stamps:
    # Text, because 20,000 `Path` objects take longer than the system calls.
    try:
        return os.stat(f"{folder}{os.sep}revisions").st_mtime_ns, os.stat(f"{folder}{os.sep}predictions").st_mtime_ns  # noqa: PTH116
    except FileNotFoundError as error:
        raise Damaged(f"{folder}: has no folder of revisions or predictions.") from error
    except OSError as error:
        raise unreachable(folder, error) from error


def _are_settled(stamps: Stamps) -> bool:
    return time.time() - max(stamps) / 1e9 > _UNSETTLED_S


def _holds_only(column: object, types: tuple[type, ...]) -> bool:
    """Whether a column of the cache is a list of values of these types."""
    return isinstance(column, list) and set(map(type, column)) <= set(types)


_SCORE = (float, int, type(None))
_TEXT_OR_NONE = (str, type(None))
_COLUMNS: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("key", "patient_key", "study_key", "views", "shape", "state"), (str,)),
    "annotator": _TEXT_OR_NONE,
    "when": _TEXT_OR_NONE,
    "uncertainty": _SCORE,
    "predicted_dice": _SCORE,
}


@cache
def _views(text: str) -> tuple[ViewName, ...]:
    return tuple(map(ViewName, text.split()))


@cache
def _shape(text: str) -> Shape:
    views, height, width = map(int, text.split())
    return views, height, width


# Types that JSON lacks. There are few different values, so they are cached.
_RESTORED: dict[str, Callable[[str], object]] = {"views": _views, "shape": _shape, "state": cache(CaseState)}
