"""One child process that segments for all panels, so that torch and the model are in memory once.

Each panel has a `SegmentationClient`, which is used like a process of its own. The broker gives the child one scan at a
time: first those that a user waits for, then those that are read ahead. A scan that a user waits for interrupts one
that is read ahead, which is computed again later.

No thread and no timer is needed: a client that waits for events polls, and each poll serves all clients.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.inference.child import SegmentationProcess
from napari_bonescint.inference.child_messages import Computed, Failed, Finished, Interrupted, Loaded, Progressed

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

_PATIENCE_S = 8.0


class _Model(NamedTuple):
    """A model that a client wants to have loaded."""

    card: ModelCard
    device: str


class _Job(ABC):
    """Work of a client for the child, with the model that it keeps loaded, if any; equal only if it is the same."""

    model: _Model | None = None

    @abstractmethod
    def begin(self, process: SegmentationProcess) -> None:
        """Give the work to the child, which is idle."""


class _Segmenting(_Job):
    """A scan that a client wants to have segmented."""

    def __init__(self, scan: Scan, card: ModelCard, device: str) -> None:
        self._scan, self.model = scan, _Model(card, device)

    def begin(self, process: SegmentationProcess) -> None:
        """See `_Job.begin`."""
        if self.model is not None:
            process.segment(self._scan, *self.model)


class _Computing(_Job):
    """A function that a client wants to have called."""

    def __init__(self, function: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self._function, self._arguments = function, arguments

    def begin(self, process: SegmentationProcess) -> None:
        """See `_Job.begin`."""
        process.compute(self._function, *self._arguments)


class SegmentationBroker:
    """Shares one child process; it ends when the last client closes.

    Parameters
    ----------
    patience : float
        Seconds to wait for a step of a scan that is read ahead, when a user waits; then the child is ended.
    """

    def __init__(self, patience: float = _PATIENCE_S) -> None:
        self.process = SegmentationProcess()
        self._patience = patience
        self._inboxes: dict[SegmentationClient, list[Event]] = {}
        self._jobs: dict[SegmentationClient, _Job] = {}
        self._loads: dict[SegmentationClient, _Model] = {}
        self._loading: _Model | None = None
        # The job that the child has; its client may have cancelled it.
        self._running: tuple[SegmentationClient, _Job] | None = None
        self._has_begun = False
        self._interrupted_at: float | None = None

    def load(self, client: SegmentationClient, card: ModelCard, device: str) -> None:
        """Load a model when the child has nothing else to do."""
        self._inboxes.setdefault(client, [])
        self._loads.pop(client, None)
        self._loads[client] = _Model(card, device)
        self.advance()

    def segment(self, client: SegmentationClient, scan: Scan, card: ModelCard, device: str) -> None:
        """Put a scan in the queue; raises ValueError if a client has work there already."""
        self._put(client, _Segmenting(scan, card, device))

    def compute(self, client: SegmentationClient, function: Callable[..., object], *arguments: object) -> None:
        """Put a function in the queue; raises ValueError if a client has work there already."""
        self._put(client, _Computing(function, arguments))

    def _put(self, client: SegmentationClient, job: _Job) -> None:
        if client in self._jobs:
            raise ValueError("a scan is being segmented already")
        self._inboxes.setdefault(client, [])
        if job.model is not None and self._loads.get(client) == job.model:
            del self._loads[client]
        self._jobs[client] = job
        self.advance()

    def poll(self, client: SegmentationClient) -> list[Event]:
        """The events for a client since its last call."""
        for event in self.process.poll():
            self._receive(event)
        self._end_overdue()
        self.advance()
        events = self._inboxes.get(client, [])
        if events:
            self._inboxes[client] = []
        return events

    def is_busy(self, client: SegmentationClient) -> bool:
        """Whether events for a client will follow."""
        return client in self._jobs or client in self._loads or bool(self._inboxes.get(client))

    def cancel(self, client: SegmentationClient) -> None:
        """Drop the scan of a client; no event of it follows. A user's scan ends at once, with the child."""
        job = self._jobs.pop(client, None)
        if job is None:
            return
        self._inboxes[client] = []
        if self._running == (client, job):
            if client.ahead:
                self._interrupt()
            else:
                self._end_child(job)
                if job.model is not None:  # the next scan is probably of the same model
                    self._loads[client] = job.model
        self.advance()

    def leave(self, client: SegmentationClient) -> None:
        """Forget a client, and end the child if it was the last."""
        self._inboxes.pop(client, None)
        self._loads.pop(client, None)
        job = self._jobs.pop(client, None)
        if not self._inboxes:
            self._running = self._loading = None
            self.process.close()
            return
        if job is not None and self._running == (client, job):
            if client.ahead:
                self._interrupt()
            else:
                self._end_child(job)
        self.advance()

    def advance(self) -> None:
        """Give the child the most urgent scan, or else a model to load."""
        running = self._running
        waiting = [client for client in self._jobs if running is None or running[1] is not self._jobs[client]]
        following = min(waiting, key=lambda client: client.ahead, default=None)
        if running is not None:
            if following is not None and not following.ahead and running[0].ahead:
                self._interrupt()
        elif following is not None:
            job = self._jobs[following]
            self._running, self._has_begun, self._interrupted_at = (following, job), False, None
            job.begin(self.process)
        elif self._loads and not self.process.is_busy:
            self._loading = list(self._loads.values())[-1]
            self.process.load(*self._loading)

    def _interrupt(self) -> None:
        """Stop the scan of the child at its next step; its job stays in the queue unless it was cancelled."""
        if self._interrupted_at is None:
            self._interrupted_at = time.monotonic()
            if self.process.interrupt():
                self._running = None
                self.advance()

    def _end_overdue(self) -> None:
        """End the child if a scan that was interrupted takes too long; loading a model must not be begun again."""
        if self._running is None or self._interrupted_at is None or not self._has_begun:
            return
        if time.monotonic() - self._interrupted_at > self._patience:
            self._end_child(self._running[1])

    def _end_child(self, job: _Job) -> None:
        """End the child, which has a job; a new one loads the same model, if any."""
        self._running, self._loading = None, job.model
        self.process.cancel()

    def _receive(self, event: Event) -> None:
        match event:
            case Progressed():
                self._has_begun = True
                if self._running is not None:
                    self._tell(*self._running, event)
            case Loaded() if self._loading is not None:
                self._answer_loads(self._loading, event)
            case Interrupted():
                self._running = None
            case Finished() | Computed() | Failed() if self._running is not None:
                client, job = self._running
                self._running = None
                self._tell(client, job, event)
                if self._jobs.get(client) is job:
                    del self._jobs[client]
            case Failed() if self._loading is not None:
                self._answer_loads(self._loading, event)

    def _tell(self, client: SegmentationClient, job: _Job, event: Event) -> None:
        if self._jobs.get(client) is job:
            self._inboxes[client].append(event)

    def _answer_loads(self, loaded: _Model, event: Event) -> None:
        for client, model in list(self._loads.items()):
            if model == loaded:
                del self._loads[client]
                self._inboxes[client].append(event)


class SegmentationClient:
    """Access of one panel to the shared child, as to a `SegmentationProcess`, whose docstrings hold here, too.

    Parameters
    ----------
    broker : SegmentationBroker
    ahead : bool
        Whether its scans are read ahead, so that those of others come first.
    """

    def __init__(self, broker: SegmentationBroker, *, ahead: bool = False) -> None:
        self._broker, self._ahead = broker, ahead
        self._whole: SegmentationClient | None = None
        self._parts: list[SegmentationClient] = []

    @property
    def pid(self) -> int | None:
        """Process number of the shared child; None if it is not running."""
        return self._broker.process.pid

    @property
    def ahead(self) -> bool:
        """Whether its scans are read ahead; may change while one waits or is segmented."""
        return self._ahead

    @ahead.setter
    def ahead(self, ahead: bool) -> None:
        self._ahead = ahead
        self._broker.advance()

    @property
    def is_busy(self) -> bool:
        """True while events will follow, for this client or its parts."""
        return self._broker.is_busy(self) or any(part.is_busy for part in self._parts)

    def part(self, *, ahead: bool) -> SegmentationClient:
        """A client for one more scan, which closes with this one."""
        part = SegmentationClient(self._broker, ahead=ahead)
        part._whole = self
        self._parts.append(part)
        return part

    def load(self, card: ModelCard, device: str = "auto") -> None:
        """Start loading a model before it is needed; the event `Loaded` or `Failed` follows."""
        self._broker.load(self, card, device)

    def segment(self, scan: Scan, card: ModelCard, device: str = "auto") -> None:
        """Put a scan in the queue; `Progressed`, then `Finished` or `Failed`, follow.

        Raises
        ------
        ValueError
            If this client has a scan in the queue already.
        """
        self._broker.segment(self, scan, card, device)

    def compute(self, function: Callable[..., object], *arguments: object) -> None:
        """Put a function in the queue, see `SegmentationProcess.compute`; `Computed` or `Failed` follows.

        Raises
        ------
        ValueError
            If this client has work in the queue already.
        """
        self._broker.compute(self, function, *arguments)

    def poll(self) -> list[Event]:
        """Events since the last call, perhaps none. Never waits."""
        return self._broker.poll(self)

    def cancel(self) -> None:
        """Drop the scan of this client at once; those of other clients are segmented."""
        self._broker.cancel(self)

    def close(self) -> None:
        """Drop everything of this client; the child ends with its last client."""
        for part in list(self._parts):
            part.close()
        if self._whole is not None:
            self._whole._parts.remove(self)
            self._whole = None
        self._broker.leave(self)


_SHARED = SegmentationBroker()


def shared_child() -> SegmentationClient:
    """A client of the child process that all panels of this program share."""
    return SegmentationClient(_SHARED)
