"""Segment scans in a child process, so that the window stays responsive.

Importing torch stalls all threads of a process for a third of a second or more, and a convolution cannot be
interrupted. Cancelling therefore ends the child and starts a new one.

The parent never blocks: it sends a task only to a waiting child, and `SegmentationProcess.poll` returns at once with
the child's messages. A thread of the parent sends, because a child on a busy computer reads a large scan slowly.
"""

from __future__ import annotations

import logging
import multiprocessing
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError, Cancelled
from napari_bonescint.processes.child import describe_exit, end_with_parent, without_main_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from napari_bonescint.inference.devices import DeviceChoice
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


@dataclass(frozen=True)
class Loaded:
    """Message of the child: the model is loaded on a device; `devices` are all of this computer."""

    card: ModelCard
    device: DeviceChoice
    devices: tuple[str, ...] = ("cpu",)


@dataclass(frozen=True)
class Progressed:
    """Message of the child: the fraction of the scan that is done, 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class Finished:
    """Message of the child: the scan is segmented."""

    segmentation: Segmentation


@dataclass(frozen=True)
class Computed:
    """Message of the child: the result of the function that it was given, see `SegmentationProcess.compute`."""

    result: object


@dataclass(frozen=True)
class Failed:
    """Message of the child: its task failed for the reason in the sentence. The child keeps running."""

    sentence: str


@dataclass(frozen=True)
class Interrupted:
    """Message of the child: it left the scan as `SegmentationProcess.interrupt` asked; nothing is kept."""


Event = Loaded | Progressed | Finished | Computed | Failed | Interrupted


@dataclass(frozen=True)
class _Task:
    card: ModelCard
    device: str
    scan: Scan | None

    @property
    def is_work(self) -> bool:
        """Whether there is a scan to segment, beyond a model to load."""
        return self.scan is not None


@dataclass(frozen=True)
class _Call:
    """A function to call in the child, by its name there, with its arguments."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    is_work: bool = True


class _Listening:
    """Message of the child: it has started and waits for its first task."""


class _Interrupt:
    """Message to the child: leave the scan at its next step. A child without a scan ignores it."""


@dataclass(frozen=True)
class _Ready:
    card: ModelCard
    device: str
    segmenter: Segmenter


class SegmentationProcess:
    """A child process that segments one scan at a time. Panels share one through `gui.common.segmenting`.

    It starts with the first call of `load` or `segment`, and starts again after it has ended for any reason.
    It ends when its parent ends.
    """

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._outbox: _Outbox | None = None
        self._answering: _Task | _Call | None = None
        self._waiting: _Task | _Call | None = None
        self._listening = False

    @property
    def pid(self) -> int | None:
        """Process number of the child; None if no child is running."""
        return self._process.pid if self._process is not None and self._process.is_alive() else None

    @property
    def is_busy(self) -> bool:
        """True while the child loads or segments, and messages will follow."""
        return self._answering is not None or self._waiting is not None

    def load(self, card: ModelCard, device: str = "auto") -> None:
        """Start loading a model before it is needed; the message `Loaded` or `Failed` follows.

        Parameters
        ----------
        card : ModelCard
            The model to load.
        device : str
            ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        """
        if self._waiting is None or not self._waiting.is_work:
            self._submit(_Task(card, device, None))

    def segment(self, scan: Scan, card: ModelCard, device: str = "auto") -> None:
        """Start segmenting a scan; the messages `Progressed`, then `Finished` or `Failed`, follow.

        Parameters
        ----------
        scan : Scan
            Counts of shape (view, y, x), as acquired.
        card : ModelCard
            The model to use; loaded first if it is not loaded already.
        device : str
            ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

        Raises
        ------
        ValueError
            If a scan is being segmented already.
        """
        self._require_idle()
        self._submit(_Task(card, device, scan))

    def compute(self, function: Callable[..., object], *arguments: object) -> None:
        """Start computing a function in the child; the messages `Progressed`, then `Computed` or `Failed`, follow.

        Parameters
        ----------
        function : callable
            A function of a module, such as `measurement.detection.detector.classify`. It takes the arguments, and
            `on_progress` and `is_cancelled`; it raises `Cancelled` once that is true. Models stay loaded in the child.
        *arguments
            Arguments that can be sent to a process.

        Raises
        ------
        ValueError
            If a scan is being segmented already.
        """
        self._require_idle()
        self._submit(_Call(function, arguments))

    def _require_idle(self) -> None:
        if any(task is not None and task.is_work for task in (self._answering, self._waiting)):
            raise ValueError("a scan is being segmented already")

    def poll(self) -> list[Event]:
        """Messages of the child since the last call, perhaps none. Never waits."""
        events: list[Event] = []
        try:
            while self._pipe is not None and self._pipe.poll():
                message = self._pipe.recv()
                if not isinstance(message, (_Listening, Progressed)):
                    self._answering = None
                # The waiting task reports the same failure of loading, so this report would come twice.
                is_outdated = isinstance(message, (Loaded, Failed)) and self._waiting is not None
                if not isinstance(message, _Listening) and not is_outdated:
                    events.append(message)
                self._listening = self._answering is None
                self._send_waiting()
        except (EOFError, OSError):
            if self._outbox is None or not self._outbox.is_sending:
                events += self._after_end()
        return events

    def cancel(self) -> None:
        """Stop the task at once by ending the child; a new child loads the same model in the background, if any."""
        task = self._waiting or self._answering
        self.close()
        if isinstance(task, _Task):
            self.load(task.card, task.device)

    def interrupt(self) -> bool:
        """Ask the child to leave its scan at the next step; the child and its model stay.

        Returns
        -------
        bool
            True if the scan had not reached the child, so that no message follows. Otherwise `Interrupted` follows, or
            `Finished` or `Failed` if the child was faster.
        """
        if self._waiting is not None and self._waiting.is_work:
            self._waiting = None
            return True
        if self._outbox is not None and self._answering is not None and self._answering.is_work:
            self._outbox.send(_Interrupt())
        return False

    def close(self) -> None:
        """End the child; `poll` returns no more messages."""
        if self._process is not None:
            self._process.kill()
        self._forget()

    def _submit(self, task: _Task | _Call) -> None:
        self._waiting = task
        if self.pid is None:
            self._start()
        else:
            self._send_waiting()

    def _start(self) -> None:
        self._forget_process()
        context = multiprocessing.get_context("spawn")
        self._pipe, childs_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(childs_end,), name="bonescint", daemon=True)
        with without_main_module():
            self._process.start()
        # Only the child may hold this end; otherwise the parent would not notice that the child has ended.
        childs_end.close()
        self._outbox = _Outbox(self._pipe)

    def _send_waiting(self) -> None:
        if self._outbox is None or self._waiting is None or not self._listening:
            return
        self._outbox.send(self._waiting)
        self._answering, self._waiting, self._listening = self._waiting, None, False

    def _after_end(self) -> list[Event]:
        if self._outbox is not None and self._outbox.has_lost_task:  # the child ended while it was idle
            self._waiting, self._answering = self._waiting or self._answering, None
            self._start()
            return []
        process, was_needed = self._process, self.is_busy
        if process is not None:
            process.join(0.05)
        self._forget()
        if not was_needed or process is None:
            return []
        how = describe_exit(process.exitcode)
        return [Failed(f"The segmentation process ended {how}; nothing was changed, please try again.")]

    def _forget(self) -> None:
        self._answering = self._waiting = None
        self._forget_process()

    def _forget_process(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
        self._process = self._pipe = self._outbox = None
        self._listening = False


class _Outbox:
    """Sends messages to a child in order, without waiting for the child to read them."""

    def __init__(self, pipe: Connection) -> None:
        self.has_lost_task = False
        self._given = self._done = 0  # each is changed by one thread only
        self._pipe = pipe
        self._messages: SimpleQueue[_Task | _Call | _Interrupt | None] = SimpleQueue()
        Thread(target=self._run, name="bonescint outbox", daemon=True).start()

    @property
    def is_sending(self) -> bool:
        """Whether a message is on its way."""
        return self._done < self._given

    def send(self, message: _Task | _Call | _Interrupt) -> None:
        """Send a message; if a task cannot be sent because the child has ended, `has_lost_task` becomes true."""
        self._given += 1
        self._messages.put(message)

    def close(self) -> None:
        """Close the pipe of a child that has ended or was killed."""
        self._messages.put(None)

    def _run(self) -> None:
        while (message := self._messages.get()) is not None:
            try:
                self._pipe.send(message)
            except OSError:
                self.has_lost_task |= isinstance(message, (_Task, _Call))
            self._done += 1
        self._pipe.close()


def _serve(pipe: Connection) -> None:
    """Run in the child: answer tasks until the parent closes the pipe."""
    end_with_parent()
    pipe.send(_Listening())
    loaded: _Ready | None = None
    with suppress(EOFError, OSError):
        while True:
            task: _Task | _Call | _Interrupt = pipe.recv()
            if isinstance(task, _Interrupt):  # it came after the scan was done
                continue
            before = loaded
            try:
                if isinstance(task, _Call):
                    pipe.send(Computed(_call(task, pipe)))
                    continue
                loaded = _load(task, loaded)
                _answer(task, loaded.segmenter, pipe, is_warm=loaded is before)
            except Cancelled:
                pipe.send(Interrupted())
            except BonescintError as error:
                pipe.send(Failed(str(error)))
            except OSError as error:
                pipe.send(Failed(f"The engine could not be loaded or used: {error}."))
            except Exception as error:  # torch raises many types; the user must see a message for each
                logging.getLogger(__name__).exception("segmentation failed")
                first_line = str(error).partition("\n")[0]
                name = "The computation" if isinstance(task, _Call) else task.card.name
                pipe.send(Failed(f"{name} failed: {type(error).__name__}: {first_line}"))


def _call(call: _Call, pipe: Connection) -> object:
    return call.function(*call.arguments, on_progress=lambda done: pipe.send(Progressed(done)), is_cancelled=pipe.poll)


def _load(task: _Task, loaded: _Ready | None) -> _Ready:
    from napari_bonescint.inference.segmenter import Segmenter

    if loaded is not None and (loaded.card, loaded.device) == (task.card, task.device):
        return loaded
    return _Ready(task.card, task.device, Segmenter(task.card, task.device))


def _answer(task: _Task, segmenter: Segmenter, pipe: Connection, *, is_warm: bool) -> None:
    from napari_bonescint.inference.devices import devices

    if task.scan is not None:
        # While the child has a scan, the only message to it is `_Interrupt`.
        result = segmenter.segment(
            task.scan, on_progress=lambda done: pipe.send(Progressed(done)), is_cancelled=pipe.poll
        )
        pipe.send(Finished(result))
        return
    pipe.send(Loaded(task.card, segmenter.device, tuple(devices())))
    if not is_warm:
        with suppress(Cancelled):
            segmenter.warm_up(is_cancelled=pipe.poll)
