"""One job of segmenting many scans: separate steps that read, segment and write, and their outcome.

Jobs, settings and outcomes can be sent to another process or computer. An error of one scan becomes its outcome. Errors
that concern all scans are raised: a missing model or device.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.refusal import sentence_of
from napari_bonescint.inference.devices import DeviceError
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.notices import on_command_line
from napari_bonescint.results import Recorded, Result, ResultError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_bonescint.formats.opening import ScanOverrides, ScanSource
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Job:
    """One scan to segment.

    Attributes
    ----------
    number : int
        Number of the job within a run.
    source : ScanSource
        Files of the scan.
    result : Result
        Files of the result.
    """

    number: int
    source: ScanSource
    result: Result

    @property
    def name(self) -> str:
        """The scan's files, as named by the user."""
        return self.source.name


@dataclass(frozen=True)
class Settings:
    """Settings for all jobs of a run.

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
        Name of this run. It shows that a repeated job, after the death of its process, had finished its result.
    """

    card: ModelCard
    device: str
    overrides: ScanOverrides
    overwrite: bool = False
    run: str = ""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job.

    Attributes
    ----------
    number : int
        Number of the job.
    kind : str
        ``segmented``, ``kept`` (the result existed already) or ``failed``.
    complaints : tuple of str
        Lines for standard error.
    line : str
        A line for standard output; none if empty.
    """

    number: int
    kind: Literal["segmented", "kept", "failed"]
    complaints: tuple[str, ...] = ()
    line: str = ""


class ProgressListener(Protocol):
    """Receives the progress of jobs, from one thread at a time."""

    def note(self, sentence: str) -> None:
        """A note about all jobs, such as the device; notes may be repeated."""

    def progressed(self, job: Job, fraction: float) -> None:
        """Segmenting a scan has reached this fraction, 0 to 1."""

    def ended(self, outcome: Outcome) -> None:
        """A job has ended."""


def failed(job: Job, why: str) -> Outcome:
    """The outcome of a job with an unexpected error."""
    return Outcome(job.number, "failed", (f"error: {job.name}: could not be segmented ({why}).",))


def load(settings: Settings, turn: int = 0) -> Segmenter:
    """Load the model; for `turn` see `devices.choose_device`."""
    # The import loads PyTorch or OpenVINO, which takes seconds, and is not needed if all results exist already.
    from napari_bonescint.inference.segmenter import Segmenter

    return Segmenter(settings.card, settings.device, turn=turn)


def describe(segmenter: Segmenter) -> str:
    """One sentence with the model, the device and the reason for it."""
    return f"Model {segmenter.card.name}. {segmenter.device.reason}."


def read(job: Job, settings: Settings) -> Scan | Outcome:
    """Read a scan; return an outcome if it cannot be read, or if its result exists already."""

    def attempt() -> Scan | Outcome:
        scan = job.source.open(**settings.overrides)
        there = _own_result(job, scan)
        whole = there is not None and there.complete
        if there and whole and settings.run and there.run == settings.run:
            views = [str(view["name"]) for view in there.views]
            return _segmented(job, views, there.seconds, there.warnings)
        if not settings.overwrite and not whole:
            _require_room(job.result)
        if there and whole and not settings.overwrite:
            differences = there.differences(scan, settings.card.weights_sha256)
            otherwise = f" (made with {', '.join(differences)}; --overwrite replaces it)" if differences else ""
            return Outcome(job.number, "kept", line=f"{job.name}: kept {job.result.skeleton}{otherwise}")
        return scan

    return _unless_it_fails(job, attempt)


def compute(
    job: Job, scan: Scan, segmenter: Callable[[], Segmenter], on_progress: Callable[[float], None]
) -> Segmentation | Outcome:
    """Segment a scan with the model that `segmenter` returns; return an outcome if it fails."""
    return _unless_it_fails(job, lambda: segmenter().segment(scan, on_progress=on_progress))


def write(job: Job, scan: Scan, segmentation: Segmentation, settings: Settings) -> Outcome:
    """Write the result of a job."""

    def attempt() -> Outcome:
        job.result.write(scan, segmentation, run=settings.run)
        views = [str(view.name) for view in scan.views]
        warnings = [on_command_line(each) for each in (*scan.warnings, *segmentation.warnings)]
        return _segmented(job, views, segmentation.seconds, warnings)

    return _unless_it_fails(job, attempt)


def _segmented(job: Job, views: Sequence[str], seconds: float, warnings: Sequence[str]) -> Outcome:
    complaints = tuple(f"warning: {job.name}: {warning}" for warning in warnings)
    line = f"{job.name}: {' and '.join(views)} in {seconds:.1f} s -> {job.result.skeleton}"
    return Outcome(job.number, "segmented", complaints, line)


def _unless_it_fails(job: Job, attempt: Callable[[], _T]) -> _T | Outcome:
    try:
        return attempt()
    except (ModelError, DeviceError):
        raise
    except BonescintError as error:
        return Outcome(job.number, "failed", (f"error: {sentence_of(error)}",))
    except Exception as error:  # an error of one scan, such as a very large one, must not end the other jobs
        logging.getLogger(__name__).debug("%s failed", job.name, exc_info=True)
        return failed(job, str(error).partition("\n")[0] or type(error).__name__)


def _own_result(job: Job, scan: Scan) -> Recorded | None:
    """The existing result of this scan, if any.

    Raises
    ------
    ResultError
        If the files belong to another scan, or are not results of bonescint.
    """
    there = job.result.recorded()
    if there and there.source_sha256 != scan.source_sha256:
        raise ResultError(
            f"{job.name}: {job.result.facts} is the result of another scan, {' + '.join(there.sources)} with SHA-256 "
            f"{there.source_sha256[:8]} (this one has {scan.source_sha256[:8]}); choose another --out folder."
        )
    return there


def _require_room(result: Result) -> None:
    """Refuse to replace a mask that no complete result of bonescint contains."""
    for mask in (result.skeleton, result.regions):
        if mask.exists():
            raise ResultError(
                f"{mask}: exists already, and {result.facts.name} does not describe it; move it, or use --overwrite."
            )
