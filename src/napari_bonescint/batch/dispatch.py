"""Handing scans out to workers, be they processes of this computer or of a cluster, and telling what comes back."""

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
    """For `ProgressListener.note`."""

    sentence: str


@dataclass(frozen=True)
class Progress:
    """For `ProgressListener.progressed`, with the number of the job."""

    number: int
    fraction: float


News = Note | Progress | Outcome | BonescintError
"""What a worker says; an error means that no job can be done."""


class Workers(Protocol):
    """Those who segment."""

    def room(self) -> int:
        """How many more jobs they have use for at this moment."""

    def give(self, job: Job) -> None:
        """Hand out a job, of which there will be one outcome, even if a worker dies."""

    def news(self) -> Iterable[News]:
        """Wait until there is something to tell of a job that was handed out."""


def dispatch(jobs: Iterable[Job], workers: Workers, listener: ProgressListener) -> None:
    """Have workers segment scans.

    Parameters
    ----------
    jobs : iterable of Job
        Taken from as there is room.
    workers : Workers
    listener : ProgressListener
        Told about the jobs in the order in which they end.

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
