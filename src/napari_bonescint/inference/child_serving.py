"""What the child process of `inference.child` runs: models stay loaded, and each task is answered by messages."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError, Cancelled
from napari_bonescint.inference.child_messages import (
    Call,
    Computed,
    Failed,
    Finished,
    Interrupt,
    Interrupted,
    Listening,
    Loaded,
    Progressed,
    Task,
)
from napari_bonescint.processes.child import end_with_parent

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter


@dataclass(frozen=True)
class _Ready:
    card: ModelCard
    device: str
    segmenter: Segmenter


def serve(pipe: Connection) -> None:
    """Answer tasks until the parent closes the pipe."""
    end_with_parent()
    pipe.send(Listening())
    loaded: _Ready | None = None
    with suppress(EOFError, OSError):
        while True:
            task: Task | Call | Interrupt = pipe.recv()
            if isinstance(task, Interrupt):  # it came after the scan was done
                continue
            before = loaded
            try:
                if isinstance(task, Call):
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
                name = "The computation" if isinstance(task, Call) else task.card.name
                pipe.send(Failed(f"{name} failed: {type(error).__name__}: {first_line}"))


def _call(call: Call, pipe: Connection) -> object:
    return call.function(*call.arguments, on_progress=lambda done: pipe.send(Progressed(done)), is_cancelled=pipe.poll)


def _load(task: Task, loaded: _Ready | None) -> _Ready:
    from napari_bonescint.inference.segmenter import Segmenter

    if loaded is not None and (loaded.card, loaded.device) == (task.card, task.device):
        return loaded
    return _Ready(task.card, task.device, Segmenter(task.card, task.device))


def _answer(task: Task, segmenter: Segmenter, pipe: Connection, *, is_warm: bool) -> None:
    from napari_bonescint.inference.devices import devices

    if task.scan is not None:
        # While the child has a scan, the only message to it is `Interrupt`.
        result = segmenter.segment(
            task.scan, on_progress=lambda done: pipe.send(Progressed(done)), is_cancelled=pipe.poll
        )
        pipe.send(Finished(result))
        return
    pipe.send(Loaded(task.card, segmenter.device, tuple(devices())))
    if not is_warm:
        with suppress(Cancelled):
            segmenter.warm_up(is_cancelled=pipe.poll)
