"""Several scans of one patient: the bone scan index over time, and the 2 + 2 counter of new lesions.

The counter follows the Prostate Cancer Working Group 3 (PCWG3: Scher et al., Journal of Clinical Oncology 2016; 34:
1402-1418). Uptake may flare up in the first 12 weeks of a treatment. So two or more new lesions on the first scan are
progression only if a scan at least 6 weeks later shows two or more further new ones. Later, two or more lesions that
are new since the first scan on treatment are progression if a scan at least 6 weeks later still shows them. New lesions
count, brightness does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.two_studies import read_two_studies
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import CannotCompare, compare
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_bonescint.measurement.comparison.changes import Comparison, LesionChange, MeasuredScan, SpotKey

FLARE_DAYS = 84
CONFIRMING_DAYS = 42
_ENOUGH = 2

COUNTER_DEFINITION = (
    "2 + 2 rule of the Prostate Cancer Working Group 3: two or more new lesions on the first scan within 12 weeks of "
    "treatment are confirmed by two or more further new ones at least 6 weeks later. Later, two or more lesions that "
    "are new since the first scan are confirmed if they are still there at least 6 weeks later. The oldest scan is "
    "taken as that before treatment. The counter only counts: it knows neither the treatment nor other causes of new "
    "hot spots."
)
"""The rule, to print beside the counter."""


class Progression(StrEnum):
    """State of the 2 + 2 counter."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    NONE = "none"


@dataclass(frozen=True)
class FollowUpScan:
    """One scan of several.

    Attributes
    ----------
    days_before : int or None
        Days before the newest scan; None if a file does not tell.
    index, index_with_distal : float
        Bone scan index without and with distal limbs.
    new_lesions : int or None
        Lesions that no earlier scan shows; None for the oldest scan.
    """

    days_before: int | None
    index: float
    index_with_distal: float
    new_lesions: int | None


@dataclass(frozen=True)
class FollowUp:
    """Several scans of one patient.

    Attributes
    ----------
    scans : tuple of FollowUpScan
        The scans, the oldest first and the new one last.
    comparison : Comparison
        Comparison of the new scan with the latest prior one.
    latest : int
        Position of the latest prior scan among the priors as they were given.
    progression : Progression
        State of the 2 + 2 counter, see `COUNTER_DEFINITION`.
    counter : str
        The state with its numbers, as a sentence.
    warnings : tuple of str
        Sentences to show to the user.
    """

    scans: tuple[FollowUpScan, ...]
    comparison: Comparison
    latest: int
    progression: Progression
    counter: str
    warnings: tuple[str, ...] = ()


def follow_up(new: MeasuredScan, priors: Sequence[MeasuredScan]) -> FollowUp:
    """Compare a scan with all prior ones.

    Parameters
    ----------
    new : MeasuredScan
        The newest scan.
    priors : sequence of MeasuredScan
        At least one prior scan. They are sorted by their days; if a file tells no day, they must be given from the
        oldest to the latest.

    Raises
    ------
    CannotCompare
        If there is no prior scan, or two scans have no view in common.
    """
    if not priors:
        raise CannotCompare(f"{new.scan.name}: There is no prior scan; name at least one.")
    days = [read_two_studies(new.scan.sources, prior.scan.sources).days for prior in priors]
    order = list(range(len(priors)))
    known = all(day is not None for day in days)
    if known:
        order.sort(key=lambda index: -(days[index] or 0))
    series = _Series([*(priors[index] for index in order), new], [*(days[index] for index in order), 0])
    progression, counter = series.progression()
    return FollowUp(
        scans=tuple(series.scan(index) for index in range(len(series.scans))),
        comparison=series.comparisons[len(priors), len(priors) - 1],
        latest=order[-1],
        progression=progression,
        counter=counter,
        warnings=()
        if known
        else ("A file tells no day of its scan, so the priors are taken to be given from the oldest to the latest.",),
    )


class _Series:
    """Scans from the oldest to the newest, each compared with all earlier ones."""

    def __init__(self, scans: Sequence[MeasuredScan], days_before: Sequence[int | None]) -> None:
        self.scans = scans
        self.days_before = days_before
        self.comparisons: Mapping[tuple[int, int], Comparison] = {
            (later, earlier): compare(scans[later], scans[earlier])
            for earlier, later in combinations(range(len(scans)), 2)
        }

    def scan(self, index: int) -> FollowUpScan:
        measured = self.scans[index].measured.measures.index
        fresh = len(self.fresh(index, range(index))) if index else None
        return FollowUpScan(self.days_before[index], measured.total, measured.with_distal, fresh)

    def days(self, earlier: int, later: int) -> int | None:
        """Days between two scans."""
        first, second = self.days_before[earlier], self.days_before[later]
        return None if first is None or second is None else first - second

    def fresh(self, index: int, earlier: Sequence[int]) -> list[LesionChange]:
        """Suspicious lesions of a scan that none of some earlier scans shows."""
        latest = max(earlier)
        known: set[SpotKey] = set()
        for each in earlier:
            for lesion in self.comparisons[index, each].lesions:
                if lesion.change is not Change.NEW:
                    known.update(lesion.new)
        new = self.comparisons[index, latest].of(Change.NEW)
        return [lesion for lesion in new if lesion.suspicious and not known & set(lesion.new)]

    def still_there(self, lesions: Sequence[LesionChange], index: int, later: int) -> int:
        """How many lesions of a scan a later one shows, too."""
        seen = [set(each.old) for each in self.comparisons[later, index].lesions if each.new and each.old]
        return sum(any(set(lesion.new) & keys for keys in seen) for lesion in lesions)

    def confirming(self, index: int) -> int | None:
        """The first scan that is late enough after another one to confirm it."""
        for later in range(index + 1, len(self.scans)):
            days = self.days(index, later)
            if days is not None and days >= CONFIRMING_DAYS:
                return later
        return None

    def progression(self) -> tuple[Progression, str]:
        """State of the 2 + 2 counter, with its numbers."""
        since_first = self.days(0, 1)
        reference = 0
        if since_first is None or since_first <= FLARE_DAYS:
            fresh = self.fresh(1, [0])
            if len(fresh) >= _ENOUGH:
                later = self.confirming(1)
                if later is None:
                    return Progression.UNCONFIRMED, (
                        f"{_new(len(fresh))} on the first scan; two or more further new ones on a scan at least 6 "
                        "weeks later would confirm progression."
                    )
                further = len(self.fresh(later, range(later)))
                if further >= _ENOUGH:
                    return Progression.CONFIRMED, (
                        f"{_new(len(fresh))} on the first scan and {further} further ones at least 6 weeks later."
                    )
            reference = 1
        for index in range(reference + 1, len(self.scans)):
            fresh = self.fresh(index, range(reference + 1))
            if len(fresh) < _ENOUGH:
                continue
            later = self.confirming(index)
            if later is None:
                return Progression.UNCONFIRMED, (
                    f"{_new(len(fresh))} since the first scan; a scan at least 6 weeks later that still shows them "
                    "would confirm progression."
                )
            stayed = self.still_there(fresh, index, later)
            if stayed >= _ENOUGH:
                return Progression.CONFIRMED, (
                    f"{_new(len(fresh))}, of which {stayed} were still there at least 6 weeks later."
                )
        last = self.fresh(len(self.scans) - 1, range(len(self.scans) - 1))
        return Progression.NONE, f"{_new(len(last))} on the last scan; the counter begins with two."


def _new(number: int) -> str:
    return counted(number, "new lesion")
