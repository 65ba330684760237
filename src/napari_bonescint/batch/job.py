"""One job of working on many scans: its steps, which other processes and computers can carry out, and its outcome.

Jobs, works and outcomes can be sent to another process or computer. An error of one scan becomes its outcome. Errors
that concern all scans are raised: a missing model or device.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, TypeVar

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.refusal import sentence_of
from napari_bonescint.inference.devices import DeviceError
from napari_bonescint.inference.model_card import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    from napari_bonescint.formats.opening import ScanSource
    from napari_bonescint.results import Result

_T = TypeVar("_T")
Opened = TypeVar("Opened")
"""What is read of one scan."""
Engine = TypeVar("Engine")
"""The loaded models, used for one scan after the other."""
Computed = TypeVar("Computed")
"""What is computed for one scan, and then written."""


@dataclass(frozen=True, slots=True)
class Job:
    """One scan to work on.

    Attributes
    ----------
    number : int
        Number of the job within a run.
    source : ScanSource
        Files of the scan.
    result : Result
        Files of the result.
    priors : tuple of Job
        Earlier scans of the same patient, to compare with, the oldest first.
    """

    number: int
    source: ScanSource
    result: Result
    priors: tuple[Job, ...] = ()

    @property
    def name(self) -> str:
        """The scan's files, as named by the user."""
        return self.source.name

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that the job reads."""
        return self.source.paths + tuple(path for prior in self.priors for path in prior.paths)


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job.

    Attributes
    ----------
    number : int
        Number of the job.
    kind : str
        ``segmented``, ``measured`` or ``compared``, ``kept`` (the result existed already) or ``failed``.
    complaints : tuple of str
        Lines for standard error.
    line : str
        A line for standard output; none if empty.
    """

    number: int
    kind: Literal["segmented", "measured", "compared", "kept", "failed"]
    complaints: tuple[str, ...] = ()
    line: str = ""


class Work(Protocol[Opened, Engine, Computed]):
    """The work on each scan, in three steps that different threads carry out."""

    @property
    def run(self) -> str:
        """Name of this run. It shows that a repeated job, after the death of its process, had finished its result."""

    @property
    def done(self) -> str:
        """The word for a finished scan: ``segmented``, ``measured`` or ``compared``."""

    @property
    def models(self) -> Hashable:
        """Equal for works that can share an engine."""

    def on_this_computer(self) -> Self:
        """The work with the model files of this computer."""

    def load(self, turn: int = 0) -> Engine:
        """Load the models; for `turn` see `devices.choose_device`."""

    def describe(self, engine: Engine) -> str:
        """One sentence with the models, the device and the reason for it."""

    def read(self, job: Job) -> Opened | Outcome:
        """Read a scan; return an outcome if it cannot be read, or if its result exists already."""

    def compute(
        self, job: Job, opened: Opened, engine: Callable[[], Engine], on_progress: Callable[[float], None]
    ) -> Computed | Outcome:
        """Work on a scan with the models that `engine` returns; return an outcome if it fails."""

    def write(self, job: Job, opened: Opened, computed: Computed) -> Outcome:
        """Write the result of a job."""


AnyWork = Work[Any, Any, Any]


class ProgressListener(Protocol):
    """Receives the progress of jobs, from one thread at a time."""

    def note(self, sentence: str) -> None:
        """A note about all jobs, such as the device; notes may be repeated."""

    def progressed(self, job: Job, fraction: float) -> None:
        """Work on a scan has reached this fraction, 0 to 1."""

    def ended(self, outcome: Outcome) -> None:
        """A job has ended."""


def failed(job: Job, work: AnyWork, why: str) -> Outcome:
    """The outcome of a job with an unexpected error."""
    return Outcome(job.number, "failed", (f"error: {job.name}: could not be {work.done} ({why}).",))


def unless_it_fails(job: Job, work: AnyWork, attempt: Callable[[], _T]) -> _T | Outcome:
    """The result of an attempt, or the outcome of a job that failed; raises what concerns all jobs."""
    try:
        return attempt()
    except (ModelError, DeviceError):
        raise
    except BonescintError as error:
        return Outcome(job.number, "failed", (f"error: {sentence_of(error)}",))
    except Exception as error:  # an error of one scan, such as a very large one, must not end the other jobs
        logging.getLogger(__name__).debug("%s failed", job.name, exc_info=True)
        return failed(job, work, str(error).partition("\n")[0] or type(error).__name__)
