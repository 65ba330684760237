"""The work of `bonescint measure`: segment a scan unless its masks exist, measure it, compare it, write the results."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from napari_bonescint.batch.at_hand import (
    AtHand,
    OpenedScan,
    measures_before,
    own_measures,
    require_room_for_measures,
)
from napari_bonescint.batch.job import Outcome, unless_it_fails
from napari_bonescint.batch.measuring_engine import MeasuringEngine
from napari_bonescint.batch.model_here import card_here
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.two_studies import OTHER_PATIENT, PatientMatch, read_two_studies
from napari_bonescint.formats.safe_reading.refusal import sentence_of
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.measurement.comparison.changes import Change, MeasuredScan
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.comparison.files import ComparisonFiles
from napari_bonescint.measurement.comparison.follow_up import follow_up
from napari_bonescint.measurement.files import MeasureFiles
from napari_bonescint.measurement.scan_table import read_comparison
from napari_bonescint.notices import on_command_line
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from napari_bonescint.batch.job import Job
    from napari_bonescint.batch.measuring_engine import MeasuredNow
    from napari_bonescint.formats.opening import ScanOverrides
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.measures import Measures
    from napari_bonescint.results import Result

_THRESHOLDS = {"thresholds": ""}


@dataclass(frozen=True)
class Measuring:
    """Measures scans, and keeps measures and masks that exist.

    Attributes
    ----------
    card : ModelCard
        The model for segmenting; it names regions.
    hot_spots : ModelCard or None
        The model that finds hot spots; None for thresholds.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; the device for segmenting.
    overrides : ScanOverrides
        The user's facts about scans whose files lack them.
    overwrite : bool
        True to measure scans again that have measures. Masks are replaced only if they were made with another model or
        other views.
    run : str
        Name of this run; see `Work`.
    masks : Path or None
        Folder of masks to measure with, instead of segmenting.
    same_patient : bool
        True if the user states that a scan and its prior scan are of one patient, although their files name two.
    report : bool
        True to write a report of each scan.
    """

    card: ModelCard
    hot_spots: ModelCard | None
    device: str
    overrides: ScanOverrides
    overwrite: bool = False
    run: str = ""
    masks: Path | None = None
    same_patient: bool = False
    report: bool = False

    verb: ClassVar[str] = "measure"
    done: ClassVar[Literal["measured", "compared"]] = "measured"

    @property
    def models(self) -> Hashable:
        """Equal for works that can share an engine."""
        return self.done, *self._at_hand.models.items(), self.device

    @property
    def _at_hand(self) -> AtHand:
        found = _THRESHOLDS if self.hot_spots is None else {self.hot_spots.name: self.hot_spots.weights_sha256}
        return AtHand(self.card, self.masks, found, self.run)

    def main_file(self, result: Result) -> Path:
        """The path of a result that is printed for the user."""
        return MeasureFiles(result.folder, result.stem).facts

    def on_this_computer(self) -> Self:
        """The work with the model files of this computer."""
        hot_spots = None if self.hot_spots is None else card_here(self.hot_spots)
        try:
            card = card_here(self.card)
        except ModelError:
            if self.masks is None:
                raise
            card = self.card  # needed only for a prior scan without a given mask
        return replace(self, card=card, hot_spots=hot_spots)

    def load(self, turn: int = 0) -> MeasuringEngine:
        """Load the models; for `turn` see `devices.choose_device`."""
        return MeasuringEngine(self.card, self.hot_spots, self.device, turn)

    def describe(self, engine: MeasuringEngine) -> str:
        """One sentence with the models, the device and the reason for it."""
        names = self._at_hand.models
        return f"{'Model' if len(names) == 1 else 'Models'} {' and '.join(names)}. {engine.device.reason}."

    def read(self, job: Job) -> OpenedScan | Outcome:
        """Read a scan and its masks; return an outcome if that is impossible, or if its results exist already."""

        def attempt() -> OpenedScan | Outcome:
            scan = job.source.open(**self.overrides)
            files = MeasureFiles(job.result.folder, job.result.stem)
            there = own_measures(job, files, scan)
            whole = there is not None and there.complete
            lacking = self._lacking(job)
            if there and whole and self.run and there.run == self.run and not lacking:
                return self._measured(job, there.measures, there.seconds, there.warnings)
            keeping = whole and not self.overwrite
            if not self.overwrite and not whole:
                require_room_for_measures(files)
            at_hand = self._at_hand
            masks = at_hand.required_masks(job, scan, keeping=keeping and not lacking, overwrite=self.overwrite)
            if there and keeping:
                sha256 = there.masks.sha256 if masks is None else masks.recorded.sha256
                otherwise = ", ".join(there.differences(scan, sha256, at_hand.models))
                if not lacking:
                    made = f" (made with {otherwise}; --overwrite replaces it)" if otherwise else ""
                    return Outcome(job.number, "kept", line=f"{job.name}: kept {files.facts}{made}")
                if otherwise:
                    raise ResultError(f"{job.name}: {files.facts} was made with {otherwise}; --overwrite replaces it.")
            opened = OpenedScan(scan, masks, measures_before(files) if whole else None)
            return self._with_priors(job, replace(opened, kept=keeping and opened.before is not None))

        return unless_it_fails(job, self, attempt)

    def compute(
        self, job: Job, opened: OpenedScan, engine: Callable[[], MeasuringEngine], on_progress: Callable[[float], None]
    ) -> MeasuredNow | Outcome:
        """Segment and measure a scan, and compare it with its prior ones; return an outcome if that fails."""

        def attempt() -> MeasuredNow:
            loaded = engine()
            count = 1 + len(opened.priors)

            def progress(past: int) -> Callable[[float], None]:
                return lambda done: on_progress((past + done) / count)

            new = loaded.measure(job, opened, progress(0))
            olds = [loaded.measure(job, prior, progress(past)) for past, prior in enumerate(opened.priors, 1)]
            if not olds:
                return new
            mine, *others = (
                MeasuredScan(each.scan, now.masks.regions, now.measured)
                for each, now in zip((opened, *opened.priors), (new, *olds), strict=True)
            )
            if len(others) == 1:
                return replace(new, comparison=compare(mine, others[0]))
            series = follow_up(mine, others)
            return replace(new, comparison=series.comparison, follow_up=series)

        return unless_it_fails(job, self, attempt)

    def write(self, job: Job, opened: OpenedScan, computed: MeasuredNow) -> Outcome:
        """Write what is new: masks, comparison, and the measures last, which mark the scan as finished."""

        def attempt() -> Outcome:
            scan, masks, measured = opened.scan, computed.masks, computed.measured
            if computed.segmentation is not None:
                job.result.write(scan, computed.segmentation, run=self.run)
            more, left_out = self._write_more(job, opened, computed)
            problems = [*opened.problems, *more]
            if not opened.kept:
                MeasureFiles(job.result.folder, job.result.stem).write(
                    *(scan, measured, masks.recorded),
                    seconds=computed.seconds,
                    warnings=masks.warnings,
                    run=self.run,
                )
            if problems:
                return Outcome(job.number, "failed", tuple(f"error: {problem}" for problem in problems))
            return self._outcome(job, opened, computed, left_out)

        return unless_it_fails(job, self, attempt)

    def _write_more(self, job: Job, opened: OpenedScan, computed: MeasuredNow) -> tuple[list[str], list[str]]:
        """Write the comparison and the report; returns sentences about what could not be written, and was left out.

        The report's DICOM files are left out if the scan has no identifiers for them. That is no failure, as with
        pictures: all that the input allows is written.
        """
        left_out: list[str] = []
        folder, stem = job.result.folder, job.result.stem
        try:
            if computed.comparison is not None:
                prior = opened.priors[-1 if computed.follow_up is None else computed.follow_up.latest].scan
                ComparisonFiles(folder, stem).write(opened.scan, prior, computed.comparison, computed.follow_up)
            if self.report:
                # The import loads what writes PDF and DICOM.
                from napari_bonescint.measurement.report.writing import write_report

                regions, comparison = computed.masks.regions, computed.comparison
                write_report(
                    *(folder, stem, opened.scan, regions, computed.measured),
                    comparison=comparison,
                    on_left_out=left_out.append,
                )
        except BonescintError as error:
            return [sentence_of(error)], left_out
        return [], left_out

    def _lacking(self, job: Job) -> bool:
        """True if the comparison with the prior scan, or the report, does not exist.

        A comparison with another prior scan is a `ResultError`, unless results are overwritten.
        """
        if self.report and not (job.result.folder / f"{job.result.stem}.report.pdf").exists():
            return True
        if not job.priors:
            return False
        path = ComparisonFiles(job.result.folder, job.result.stem).facts
        compared = read_comparison(path)
        if compared is None:
            return True
        latest = job.priors[-1].source
        if compared.prior.get("source_sha256") != latest.source_sha256():
            if not self.overwrite:
                raise ResultError(
                    f"{job.name}: {path} is a comparison with another prior scan than {latest.name}; --overwrite "
                    "replaces it."
                )
            return True
        return len(compared.follow_up.get("scans", ())) != (len(job.priors) + 1 if len(job.priors) > 1 else 0)

    def _with_priors(self, job: Job, opened: OpenedScan) -> OpenedScan:
        """Open the prior scans of a job, too; one that cannot be compared is a problem of the job."""
        priors, problems = [], []
        for each in job.priors:
            try:
                prior = each.source.open(**self.overrides)
                studies = read_two_studies(opened.scan.sources, prior.sources)
                if studies.patient is PatientMatch.OTHER and not self.same_patient:
                    problems.append(f"{job.name}: {OTHER_PATIENT} Option: --same-patient.")
                else:
                    priors.append(self._at_hand.opened(each, prior))
            except BonescintError as error:
                problems.append(sentence_of(error))
        return replace(opened, priors=tuple(priors), problems=tuple(problems))

    def _outcome(self, job: Job, opened: OpenedScan, computed: MeasuredNow, left_out: Sequence[str]) -> Outcome:
        comparison, measures = computed.comparison, computed.measured.measures
        compared = () if comparison is None else (*comparison.not_comparable, *comparison.warnings)
        warnings = (*opened.scan.warnings, *computed.masks.warnings, *measures.warnings, *compared, *left_out)
        return self._measured(job, measures, computed.seconds, [on_command_line(each) for each in warnings], comparison)

    def _measured(
        self,
        job: Job,
        measures: Measures,
        seconds: float,
        warnings: Sequence[str],
        comparison: Comparison | None = None,
    ) -> Outcome:
        complaints = tuple(f"warning: {job.name}: {warning}" for warning in dict.fromkeys(map(str, warnings)))
        suspicious = sum(spot.suspicious for spot in measures.hot_spots)
        against = ""
        if comparison is not None:
            new, gone = comparison.count(Change.NEW), comparison.count(Change.GONE)
            against = f" (change {comparison.index.change or 0:+.2f}, {new} new and {gone} gone lesions)"
        line = (
            f"{job.name}: bone scan index {measures.index.total:.2f} %{against}, {suspicious} of "
            f"{len(measures.hot_spots)} hot spots suspicious, in {seconds:.1f} s -> {self.main_file(job.result)}"
        )
        return Outcome(job.number, self.done, complaints, line)
