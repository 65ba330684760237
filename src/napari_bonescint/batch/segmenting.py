"""The work of `bonescint segment`: read a scan, segment it, write its masks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Self

from napari_bonescint.batch.job import Outcome, unless_it_fails
from napari_bonescint.batch.model_here import card_here
from napari_bonescint.notices import on_command_line
from napari_bonescint.results import ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from pathlib import Path

    from napari_bonescint.batch.job import Job
    from napari_bonescint.formats.opening import ScanOverrides
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.results import Recorded, Result
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


@dataclass(frozen=True)
class Segmenting:
    """Segments scans, and keeps results that exist.

    Attributes
    ----------
    card : ModelCard
        The model.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    overrides : ScanOverrides
        The user's facts about scans whose files lack them.
    overwrite : bool
        True to replace existing results of the same scan.
    run : str
        Name of this run; see `Work`.
    """

    card: ModelCard
    device: str
    overrides: ScanOverrides
    overwrite: bool = False
    run: str = ""

    verb: ClassVar[str] = "segment"
    done: ClassVar[str] = "segmented"

    @property
    def models(self) -> Hashable:
        """Equal for works that can share an engine."""
        return self.done, self.card.name, self.card.weights_sha256, self.device

    def main_file(self, result: Result) -> Path:
        """The path of a result that is printed for the user."""
        return result.skeleton

    def on_this_computer(self) -> Self:
        """The work with the model files of this computer."""
        return replace(self, card=card_here(self.card))

    def load(self, turn: int = 0) -> Segmenter:
        """Load the model; for `turn` see `devices.choose_device`."""
        # The import loads PyTorch or OpenVINO, which takes seconds, and is not needed if all results exist already.
        from napari_bonescint.inference.segmenter import Segmenter

        return Segmenter(self.card, self.device, turn=turn)

    def describe(self, engine: Segmenter) -> str:
        """One sentence with the model, the device and the reason for it."""
        return f"Model {engine.card.name}. {engine.device.reason}."

    def read(self, job: Job) -> Scan | Outcome:
        """Read a scan; return an outcome if it cannot be read, or if its result exists already."""

        def attempt() -> Scan | Outcome:
            scan = job.source.open(**self.overrides)
            there = own_masks(job, scan)
            whole = there is not None and there.complete
            if there and whole and self.run and there.run == self.run:
                views = [str(view["name"]) for view in there.views]
                return self._segmented(job, views, there.seconds, there.warnings)
            if not self.overwrite and not whole:
                require_room(job.result)
            if there and whole and not self.overwrite:
                differences = there.differences(scan, self.card.weights_sha256)
                otherwise = f" (made with {', '.join(differences)}; --overwrite replaces it)" if differences else ""
                return Outcome(job.number, "kept", line=f"{job.name}: kept {job.result.skeleton}{otherwise}")
            return scan

        return unless_it_fails(job, self, attempt)

    def compute(
        self, job: Job, opened: Scan, engine: Callable[[], Segmenter], on_progress: Callable[[float], None]
    ) -> Segmentation | Outcome:
        """Segment a scan with the model that `engine` returns; return an outcome if it fails."""
        return unless_it_fails(job, self, lambda: engine().segment(opened, on_progress=on_progress))

    def write(self, job: Job, opened: Scan, computed: Segmentation) -> Outcome:
        """Write the result of a job."""

        def attempt() -> Outcome:
            job.result.write(opened, computed, run=self.run)
            views = [str(view.name) for view in opened.views]
            warnings = [on_command_line(each) for each in (*opened.warnings, *computed.warnings)]
            return self._segmented(job, views, computed.seconds, warnings)

        return unless_it_fails(job, self, attempt)

    def _segmented(self, job: Job, views: Sequence[str], seconds: float, warnings: Sequence[str]) -> Outcome:
        complaints = tuple(f"warning: {job.name}: {warning}" for warning in warnings)
        line = f"{job.name}: {' and '.join(views)} in {seconds:.1f} s -> {job.result.skeleton}"
        return Outcome(job.number, "segmented", complaints, line)


def own_masks(job: Job, scan: Scan) -> Recorded | None:
    """The existing masks of this scan, if any.

    Raises
    ------
    ResultError
        If the files belong to another scan, or are not results of bonescint.
    """
    there = job.result.recorded()
    if there and there.source_sha256 != scan.source_sha256:
        raise of_another_scan(job, scan, job.result.facts, there.sources, there.source_sha256)
    return there


def of_another_scan(job: Job, scan: Scan, facts: object, sources: Sequence[str], sha256: str) -> ResultError:
    """The error about a result, described by the file `facts`, of other sources than the scan's."""
    return ResultError(
        f"{job.name}: {facts} is the result of another scan, {' + '.join(sources)} with SHA-256 {sha256[:8]} (this one "
        f"has {scan.source_sha256[:8]}); choose another --out folder."
    )


def require_room(result: Result) -> None:
    """Refuse to replace a mask that no complete result of bonescint contains."""
    for mask in (result.skeleton, result.regions):
        if mask.exists():
            raise ResultError(
                f"{mask}: exists already, and {result.facts.name} does not describe it; move it, or use --overwrite."
            )
