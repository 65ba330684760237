"""Compare the chosen scan with prior ones that are open, and follow the edits of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_bonescint.formats.dicom.two_studies import OTHER_PATIENT, PatientMatch
from napari_bonescint.measurement.comparison.changes import MeasuredScan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari.layers import Image

    from napari_bonescint.formats.dicom.two_studies import TwoStudies
    from napari_bonescint.gui.common.run import Run
    from napari_bonescint.gui.measure.controller import MeasureController
    from napari_bonescint.gui.measure.reading import Reading
    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.comparison.follow_up import FollowUp
    from napari_bonescint.measurement.comparison.warping import WarpedPrior
    from napari_bonescint.measurement.measures import Measures

_FOLLOW_MS = 300


@dataclass(frozen=True, eq=False)
class Compared:
    """The chosen scan and a prior one.

    Attributes
    ----------
    new, old : Reading
        Both scans.
    studies : TwoStudies
        What the files of both say about patient and days.
    comparison : Comparison
    warped : WarpedPrior
        The prior in the position of the new scan.
    measures : (Measures or None, Measures or None)
        Those of both that were compared.
    """

    new: Reading
    old: Reading
    studies: TwoStudies
    comparison: Comparison
    warped: WarpedPrior
    measures: tuple[Measures | None, Measures | None]

    @property
    def is_current(self) -> bool:
        """Whether both scans are still measured as they were compared."""
        return all(now is then for now, then in zip((self.new.measures, self.old.measures), self.measures, strict=True))

    @property
    def change(self) -> float | None:
        """Change of the index, also right after an edit."""
        if self.new.measures is None or self.old.measures is None:
            return None
        return self.new.measures.index.total - self.old.measures.index.total


class PriorComparing:
    """Compares scans of a controller; both are measured first if need be.

    Parameters
    ----------
    controller : MeasureController
    run : Run
        The thread of the panel.
    call_later : callable
        Calls a function after some milliseconds, in the same thread.
    ask : callable
        Takes a sentence, and asks the user whether to compare nevertheless.
    """

    changed = Signal()
    """Emitted when a comparison was made, brought up to date or dropped."""
    message = Signal(str, bool)
    """Emitted with a sentence, which may be empty, and whether it is an error."""

    def __init__(
        self,
        controller: MeasureController,
        run: Run,
        call_later: Callable[[int, Callable[[], None]], None],
        ask: Callable[[str], bool],
    ) -> None:
        self._controller, self._run, self._call_later, self._ask = controller, run, call_later, ask
        self._wanted: tuple[tuple[Image, ...], tuple[Image, ...]] | None = None
        self._read_studies: TwoStudies | None = None  # of the wanted scans, until the comparison begins
        self._all: list[Compared] = []
        self._turn = 0
        self._is_closed = False
        self.follow_up: FollowUp | None = None
        controller.measured.connect(self._on_measured)
        controller.changed.connect(self._on_changed)

    @property
    def is_running(self) -> bool:
        """Whether scans are being compared or measured for it."""
        return self._wanted is not None

    @property
    def priors(self) -> list[Compared]:
        """Comparisons of the chosen scan, in the order in which they were asked for."""
        return [each for each in self._all if each.new is self._controller.current]

    @property
    def shown(self) -> Compared | None:
        """The comparison that was asked for last; None if there is none of the chosen scan."""
        return next(reversed(self.priors), None)

    def compare(self, prior: Sequence[Image]) -> None:
        """Compare the chosen scan with a prior one."""
        if self._controller.images and tuple(prior) and not self._controller.is_running:
            self._wanted = self._controller.images, tuple(prior)
            self._go_on()

    def cancel(self) -> None:
        """Stop measuring and comparing; comparisons that were made stay."""
        is_comparing, self._wanted = self.is_running, None
        self._turn += 1
        self._controller.cancel()
        if is_comparing:
            self.message.emit("Cancelled.", False)
            self._on_changed()

    def close(self) -> None:
        """Follow the controller no longer."""
        self._is_closed = True
        self._controller.measured.disconnect(self._on_measured)
        self._controller.changed.disconnect(self._on_changed)

    def _on_measured(self, _scan: Reading) -> None:
        if self._wanted is not None:
            self._go_on()

    def _go_on(self) -> None:
        """Measure what is not measured yet, then compare."""
        wanted = self._wanted
        if wanted is None:
            return
        found = [self._controller.reading_of(images) for images in wanted]
        missing = next((at for at, scan in enumerate(found) if scan is None or scan.measures is None), None)
        if missing is not None:
            self._controller.measure(wanted[missing])
            self.changed.emit()
            return
        new, old = found
        if new is None or old is None:
            return
        self._read_studies = None
        self.message.emit("Comparing …", False)
        self.changed.emit()
        self._run(partial(_studies, new.files, old.files), partial(self._on_studies, new, old), self._on_failed)

    def _on_studies(self, new: Reading, old: Reading, studies: TwoStudies) -> None:
        if self._is_closed or self._wanted != (new.images, old.images):
            return
        if studies.patient is PatientMatch.OTHER and not self._ask(OTHER_PATIENT):
            self._wanted = None
            self.message.emit("Not compared.", False)
            self.changed.emit()
            return
        self._read_studies = studies
        self._start_when_measured()

    def _start_when_measured(self) -> None:
        """Compare once the measures are those of the hot spots, which may just have been restored or edited."""
        wanted, studies = self._wanted, self._read_studies
        if wanted is None or studies is None:
            return
        new, old = (self._controller.reading_of(images) for images in wanted)
        if new is not None and old is not None and new.is_measured and old.is_measured:
            self._read_studies = None
            self._start(new, old, studies)

    def _start(self, new: Reading, old: Reading, studies: TwoStudies) -> None:
        self._turn += 1
        mine, other = (_scan(scan) for scan in (new, old))
        if mine is None or other is None:
            return
        measures = new.measures, old.measures
        then = partial(self._on_compared, self._turn, new, old, studies, measures)
        self._run(partial(_compare, mine, other, studies), then, self._on_failed)

    def _on_compared(
        self,
        turn: int,
        new: Reading,
        old: Reading,
        studies: TwoStudies,
        measures: tuple[Measures | None, Measures | None],
        found: tuple[Comparison, WarpedPrior],
    ) -> None:
        if self._is_closed or turn != self._turn:
            return
        self._wanted = None
        others = [each for each in self._all if (each.new, each.old) != (new, old)]
        self._all = [*others, Compared(new, old, studies, *found, measures)]
        self.message.emit("", False)
        self.changed.emit()
        self._follow_up()

    def _follow_up(self) -> None:
        """Put several priors in the order of time."""
        self.follow_up = None
        shown = self.shown
        priors = [scan for each in self.priors if (scan := _scan(each.old)) is not None]
        if shown is not None and len(priors) > 1 and (new := _scan(shown.new)) is not None:
            self._run(partial(_order, new, priors), partial(self._on_ordered, self._turn), self._on_failed)

    def _on_ordered(self, turn: int, found: FollowUp) -> None:
        if not self._is_closed and turn == self._turn:
            self.follow_up = found
            self.changed.emit()

    def _on_failed(self, sentence: str) -> None:
        self._wanted = None
        self.message.emit(sentence, True)
        self.changed.emit()

    def _on_changed(self) -> None:
        """Drop comparisons of scans that are gone, and bring the one that is shown up to date soon."""
        kept = [
            each
            for each in self._all
            if self._controller.reading_of(each.new.images) is each.new
            and self._controller.reading_of(each.old.images) is each.old
        ]
        if len(kept) != len(self._all):
            self._all, self.follow_up = kept, None
        if self.is_running and not self._controller.is_running and self._is_stopped():
            self._wanted = None
        self._start_when_measured()
        shown = self.shown
        if shown is not None and not shown.is_current:
            self._turn += 1
            self._call_later(_FOLLOW_MS, partial(self._renew, self._turn))
        self.changed.emit()

    def _is_stopped(self) -> bool:
        """Whether measuring ended without measures: cancelled or failed."""
        found = [self._controller.reading_of(images) for images in self._wanted or ()]
        return any(scan is None or scan.measures is None for scan in found)

    def _renew(self, turn: int) -> None:
        shown = self.shown
        if self._is_closed or turn != self._turn or shown is None or shown.is_current:
            return
        if shown.new.is_measured and shown.old.is_measured:
            self._start(shown.new, shown.old, shown.studies)


def _scan(reading: Reading) -> MeasuredScan | None:
    measured = reading.measured
    if measured is None:
        return None
    return MeasuredScan(replace(reading.scan, sources=reading.files), reading.regions, measured)


# In the thread: what these functions import would stop the window.


def _studies(new: Any, old: Any) -> TwoStudies:
    from napari_bonescint.formats.dicom.two_studies import read_two_studies

    return read_two_studies(new, old)


def _compare(new: MeasuredScan, old: MeasuredScan, studies: TwoStudies) -> tuple[Comparison, WarpedPrior]:
    from napari_bonescint.measurement.comparison.comparing import compare
    from napari_bonescint.measurement.comparison.warping import warp_prior

    comparison = compare(new, old, studies)
    return comparison, warp_prior(new, old, comparison)


def _order(new: MeasuredScan, priors: Sequence[MeasuredScan]) -> FollowUp:
    from napari_bonescint.measurement.comparison.follow_up import follow_up

    return follow_up(new, priors)
