"""Handing scans out, whoever the workers are."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pytest

from listening import Listener
from napari_bonescint.batch.dispatch import Note, Progress, dispatch
from napari_bonescint.batch.job import Outcome
from napari_bonescint.inference.devices import DeviceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_bonescint.batch.dispatch import News
    from napari_bonescint.batch.job import Job


class Twins:
    """Two workers for one job each, of whom the one that was asked last answers first."""

    def __init__(self) -> None:
        self.given: deque[Job] = deque()
        self.most = 0

    def room(self) -> int:
        return 2 - len(self.given)

    def give(self, job: Job) -> None:
        self.given.append(job)
        self.most = max(self.most, len(self.given))

    def news(self) -> Iterator[News]:
        job = self.given.pop()
        yield Note("They have begun.")
        yield Progress(job.number, 0.5)
        yield Outcome(job.number, "segmented")


class Watching(Listener):
    def __init__(self) -> None:
        super().__init__()
        self.progress: list[tuple[str, float]] = []

    def progressed(self, job: Job, fraction: float) -> None:
        self.progress.append((job.source.result.stem, fraction))


def test_workers_have_what_they_have_room_for_and_all_they_say_is_told(jobs: Callable[[int], list[Job]]) -> None:
    twins, listener = Twins(), Watching()
    dispatch(jobs(5), twins, listener)
    assert twins.most == 2
    assert [outcome.number for outcome in listener.outcomes] == [1, 2, 3, 4, 0]
    assert listener.progress == [(str(number), 0.5) for number in (1, 2, 3, 4, 0)]
    assert listener.notes == ["They have begun."] * 5


def test_nothing_to_do_asks_nobody() -> None:
    twins, listener = Twins(), Listener()
    dispatch([], twins, listener)
    assert (twins.most, listener.outcomes) == (0, [])


def test_what_ends_every_job_is_raised(jobs: Callable[[int], list[Job]]) -> None:
    class Deviceless(Twins):
        def news(self) -> Iterator[News]:
            yield DeviceError("There is no device.")

    listener = Listener()
    with pytest.raises(DeviceError, match="There is no device"):
        dispatch(jobs(3), Deviceless(), listener)
    assert listener.outcomes == []
