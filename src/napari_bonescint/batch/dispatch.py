"""Distribute jobs to workers (processes of this computer or of a cluster), and report their outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from napari_bonescint.batch.job import Outcome
from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.batch.job import Job, ProgressListener


@dataclass(frozen=True)
class Note:
    """A note for `ProgressListener.note`."""

    sentence: str


@dataclass(frozen=True)
class Progress:
    """The progress of the job with this number, for `ProgressListener.progressed`."""

    number: int
    fraction: float


News = Note | Progress | Outcome | BonescintError
"""A message of a worker; an error means that no job can be done."""


class Workers(Protocol):
    """A group of workers."""

    def room(self) -> int:
        """Number of further jobs that the workers can take now."""

    def give(self, job: Job) -> None:
        """Give a job to a worker; it will have one outcome, even if the worker dies."""

    def news(self) -> Iterable[News]:
        """Wait for messages about jobs."""


def dispatch(jobs: Iterable[Job], workers: Workers, listener: ProgressListener) -> None:
    """Let workers do all jobs; the listener receives outcomes in the order in which jobs end.

    Raises
    ------
    BonescintError
        If no job can be done.
    """
    coming = iter(jobs)
    under_way: dict[int, Job] = {}
    while True:
        for job in islice(coming, workers.room()):
            under_way[job.number] = job
            workers.give(job)
        if not under_way:
            return
        for news in workers.news():
            match news:
                case Note(sentence):
                    listener.note(sentence)
                case Progress(number, fraction):
                    listener.progressed(under_way[number], fraction)
                case Outcome():
                    del under_way[news.number]
                    listener.ended(news)
                case error:
                    raise error
