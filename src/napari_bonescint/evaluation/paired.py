"""Paired scores of two models on the same views, for each region."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.evaluation.interval import mean_interval
from napari_bonescint.evaluation.verdict import SKELETON, Row

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from napari_bonescint.evaluation.verdict import SetKind
    from napari_bonescint.evaluation.view_scores import ViewScore

MACRO = "regions"
"""Name for the mean over the regions of a view."""

_LABELS = {SKELETON: "skeleton", MACRO: "mean of the regions"} | {region.name: region.label for region in REGIONS[1:]}


class _Pair(NamedTuple):
    patient: str
    current: float
    new: float


class PairedScores:
    """Dice of the current and the new model, view by view, without images."""

    def __init__(self) -> None:
        self._pairs: dict[str, list[_Pair]] = defaultdict(list)
        self._groups: dict[str, Hashable] = {}

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len(self._groups)

    def add(self, current: Iterable[ViewScore], new: Iterable[ViewScore], group: Hashable | None = None) -> None:
        """Add the scores of both models on the views of one scan.

        Parameters
        ----------
        current, new : iterable of ViewScore
        group : hashable, optional
            Equal for patients that were scored by the same training, whose scores depend on each other.
        """
        for own, other in zip(current, new, strict=True):
            self._groups[own.patient] = own.patient if group is None else group
            self._add(SKELETON, own.patient, own.skeleton, other.skeleton)
            self._add(MACRO, own.patient, own.macro, other.macro)
            for name in own.regions.keys() & other.regions.keys():
                self._add(name, own.patient, own.regions[name], other.regions[name])

    def rows(self, kind: SetKind) -> list[Row]:
        """Compare the skeleton, the mean of the regions and each region, with paired means of patients."""
        return [_row(kind, name, pairs, self._groups) for name in _LABELS if (pairs := self._pairs.get(name))]

    def _add(self, name: str, patient: str, current: float | None, new: float | None) -> None:
        if current is not None and new is not None:
            self._pairs[name].append(_Pair(patient, current, new))


def _row(kind: SetKind, name: str, pairs: list[_Pair], groups: Mapping[str, Hashable]) -> Row:
    of_patient: dict[str, list[_Pair]] = defaultdict(list)
    for pair in pairs:
        of_patient[pair.patient].append(pair)
    current = [statistics.mean(pair.current for pair in views) for views in of_patient.values()]
    new = [statistics.mean(pair.new for pair in views) for views in of_patient.values()]
    differences = [b - a for a, b in zip(current, new, strict=True)]
    low, high = mean_interval(differences, [groups[patient] for patient in of_patient]) or (None, None)
    return Row(
        set=kind,
        region=name,
        label=_LABELS[name],
        patients=len(of_patient),
        views=len(pairs),
        current=statistics.mean(current),
        new=statistics.mean(new),
        difference=statistics.mean(differences),
        low=low,
        high=high,
    )
