"""The work of `bonescint compare`: measure a scan and its prior one as far as needed, and write the comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from napari_bonescint.batch.job import Outcome, unless_it_fails
from napari_bonescint.batch.measuring import Measuring
from napari_bonescint.measurement.comparison.files import ComparisonFiles

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.batch.at_hand import OpenedScan
    from napari_bonescint.batch.job import Job
    from napari_bonescint.batch.measuring_engine import MeasuredNow
    from napari_bonescint.results import Result


@dataclass(frozen=True)
class Comparing(Measuring):
    """Compares scans with their prior ones. Masks and measures that exist are used, and none are written."""

    verb: ClassVar[str] = "compare"
    done: ClassVar[Literal["measured", "compared"]] = "compared"

    def main_file(self, result: Result) -> Path:
        """The path of a result that is printed for the user."""
        return ComparisonFiles(result.folder, result.stem).facts

    def read(self, job: Job) -> OpenedScan | Outcome:
        """Read a scan and its prior one; return an outcome if that is impossible, or if the comparison exists."""

        def attempt() -> OpenedScan | Outcome:
            scan = job.source.open(**self.overrides)
            if not self.overwrite and not self._lacking(job):
                return Outcome(job.number, "kept", line=f"{job.name}: kept {self.main_file(job.result)}")
            opened = self._with_priors(job, self._at_hand.opened(job, scan))
            if opened.problems:
                return Outcome(job.number, "failed", tuple(f"error: {problem}" for problem in opened.problems))
            return opened

        return unless_it_fails(job, self, attempt)

    def write(self, job: Job, opened: OpenedScan, computed: MeasuredNow) -> Outcome:
        """Write the comparison."""

        def attempt() -> Outcome:
            problems, left_out = self._write_more(job, opened, computed)
            if problems:
                return Outcome(job.number, "failed", tuple(f"error: {problem}" for problem in problems))
            return self._outcome(job, opened, computed, left_out)

        return unless_it_fails(job, self, attempt)
