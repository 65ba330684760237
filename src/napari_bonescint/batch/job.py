"""One scan of many: read, computed and written, each step on its own, and what there is to tell about it.

A job, the settings that all jobs share and an outcome can be sent to another process or computer. No step raises for
what is wrong with one scan; what makes every other scan fail, too, is raised: a model or a device that is not there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.refusal import sentence_of
from napari_bonescint.inference.devices import DeviceError
from napari_bonescint.inference.model_card import ModelError
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
        Which of the jobs of a run it is.
    source : ScanSource
        Where it is read from.
    result : Result
        Where its result is written to.
    """

    number: int
    source: ScanSource
    result: Result

    @property
    def name(self) -> str:
        """The files as the user named them."""
        return self.source.name


@dataclass(frozen=True)
class Settings:
    """What all jobs of a run share.

    Attributes
    ----------
    card : ModelCard
        Which model.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    said : ScanOverrides
        What the user says about scans that do not say it themselves.
    overwrite : bool
        Whether to replace results that were made from the same scan.
    run : str
        A name of this run where a job may be begun twice, because the process that it was in has died: what one attempt
        has finished, the next one does not do again.
    """

    card: ModelCard
    device: str
    said: ScanOverrides
    overwrite: bool = False
    run: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes
    ----------
    number : int
        The job's.
    kind : str
        ``segmented``, ``kept`` (the result was there already) or ``failed``.
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
    """Who is told how jobs come along. Called by one thread at a time."""

    def note(self, sentence: str) -> None:
        """Something about all jobs, such as where they are computed; once is enough for each sentence."""

    def progressed(self, job: Job, fraction: float) -> None:
        """Computing a scan has come this far, 0 to 1."""

    def ended(self, outcome: Outcome) -> None:
        """A job is over."""


def failed(job: Job, why: str) -> Outcome:
    """The outcome of a job that something unforeseen has ended."""
    return Outcome(job.number, "failed", (f"error: {job.name}: could not be segmented ({why}).",))


def load(settings: Settings, turn: int = 0) -> Segmenter:
    """Load the model.

    Parameters
    ----------
    settings : Settings
    turn : int
        Which of several GPUs to take, counted round, where the user names none.
    """
    # It loads PyTorch or OpenVINO, which takes seconds, and is not needed where every result is there already.
    from napari_bonescint.inference.segmenter import Segmenter

    return Segmenter(settings.card, settings.device, turn=turn)


def describe(segmenter: Segmenter) -> str:
    """Which model runs where, and why there."""
    return f"Model {segmenter.card.name}. {segmenter.device.reason}."


def read(job: Job, settings: Settings) -> Scan | Outcome:
    """Read a scan; an outcome if it cannot be read, or need not be segmented."""

    def attempt() -> Scan | Outcome:
        scan = job.source.open(**settings.said)
        there = _own_result(job, scan)
        whole = there is not None and there.complete
        if there and whole and settings.run and there.run == settings.run:
            views = [str(view["name"]) for view in there.views]
            return _segmented(job, views, there.seconds, there.warnings)
        if not settings.overwrite and not whole:
            _require_room(job.result)
        if there and whole and not settings.overwrite:
            differences = there.differences(scan, settings.card.weights_sha256)
            otherwise = f" (made with {', '.join(differences)}; --overwrite makes it anew)" if differences else ""
            return Outcome(job.number, "kept", line=f"{job.name}: kept {job.result.skeleton}{otherwise}")
        return scan

    return _unless_it_fails(job, attempt)


def compute(
    job: Job, scan: Scan, segmenter: Callable[[], Segmenter], on_progress: Callable[[float], None]
) -> Segmentation | Outcome:
    """Segment a scan with the model that `segmenter` gives; an outcome if that fails."""
    return _unless_it_fails(job, lambda: segmenter().segment(scan, on_progress=on_progress))


def write(job: Job, scan: Scan, segmentation: Segmentation, settings: Settings) -> Outcome:
    """Write a result."""

    def attempt() -> Outcome:
        job.result.write(scan, segmentation, run=settings.run)
        views = [str(view.name) for view in scan.views]
        return _segmented(job, views, segmentation.seconds, (*scan.warnings, *segmentation.warnings))

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
    except Exception as error:  # whatever is raised for one scan, such as one too large, must not end the others
        logging.getLogger(__name__).debug("%s failed", job.name, exc_info=True)
        return failed(job, str(error).partition("\n")[0] or type(error).__name__)


def _own_result(job: Job, scan: Scan) -> Recorded | None:
    """The result of this scan that is there already, if there is one.

    Raises
    ------
    ResultError
        If what is there is the result of another scan, or none of ours.
    """
    there = job.result.recorded()
    if there and there.source_sha256 != scan.source_sha256:
        raise ResultError(
            f"{job.name}: {job.result.facts} is the result of another scan, {' + '.join(there.sources)} with SHA-256 "
            f"{there.source_sha256[:8]} (this one has {scan.source_sha256[:8]}); choose another --out folder."
        )
    return there


def _require_room(result: Result) -> None:
    """Refuse to replace a mask of which no JSON file says that it is ours and whole."""
    for mask in (result.skeleton, result.regions):
        if mask.exists():
            raise ResultError(
                f"{mask}: is there already, and {result.facts.name} does not say of what; move it, or use --overwrite."
            )
