"""Segment scans in a child process, so that the window stays responsive.

Importing torch stalls all threads of a process for a third of a second or more, and a convolution cannot be
interrupted. Cancelling therefore ends the child and starts a new one.

The parent never blocks: it sends a task only to a waiting child, and `SegmentationProcess.poll` returns at once with
the child's messages. A thread of the parent sends, because a child on a busy computer reads a large scan slowly.
"""

from __future__ import annotations

import multiprocessing
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from napari_bonescint.inference.child_messages import Call, Failed, Interrupt, Listening, Loaded, Progressed, Task
from napari_bonescint.inference.child_serving import serve
from napari_bonescint.processes.child import describe_exit, without_main_module

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from napari_bonescint.inference.child_messages import Event
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


class SegmentationProcess:
    """A child process that segments one scan at a time. Panels share one through `gui.common.segmenting`.

    It starts with the first call of `load` or `segment`, and starts again after it has ended for any reason.
    It ends when its parent ends.
    """

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._outbox: _Outbox | None = None
        self._answering: Task | Call | None = None
        self._waiting: Task | Call | None = None
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
            self._submit(Task(card, device, None))

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
        self._submit(Task(card, device, scan))

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
        self._submit(Call(function, arguments))

    def _require_idle(self) -> None:
        if any(task is not None and task.is_work for task in (self._answering, self._waiting)):
            raise ValueError("a scan is being segmented already")

    def poll(self) -> list[Event]:
        """Messages of the child since the last call, perhaps none. Never waits."""
        events: list[Event] = []
        try:
            while self._pipe is not None and self._pipe.poll():
                message = self._pipe.recv()
                if not isinstance(message, (Listening, Progressed)):
                    self._answering = None
                # The waiting task reports the same failure of loading, so this report would come twice.
                is_outdated = isinstance(message, (Loaded, Failed)) and self._waiting is not None
                if not isinstance(message, Listening) and not is_outdated:
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
        if isinstance(task, Task):
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
            self._outbox.send(Interrupt())
        return False

    def close(self) -> None:
        """End the child; `poll` returns no more messages."""
        if self._process is not None:
            self._process.kill()
        self._forget()

    def _submit(self, task: Task | Call) -> None:
        self._waiting = task
        if self.pid is None:
            self._start()
        else:
            self._send_waiting()

    def _start(self) -> None:
        self._forget_process()
        context = multiprocessing.get_context("spawn")
        self._pipe, childs_end = context.Pipe()
        self._process = context.Process(target=serve, args=(childs_end,), name="bonescint", daemon=True)
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
        self._messages: SimpleQueue[Task | Call | Interrupt | None] = SimpleQueue()
        Thread(target=self._run, name="bonescint outbox", daemon=True).start()

    @property
    def is_sending(self) -> bool:
        """Whether a message is on its way."""
        return self._done < self._given

    def send(self, message: Task | Call | Interrupt) -> None:
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
                self.has_lost_task |= isinstance(message, (Task, Call))
            self._done += 1
        self._pipe.close()
