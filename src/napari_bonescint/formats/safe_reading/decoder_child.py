"""What the decoding process does: native decoders work here, where they may die.

It is started and talked to by `decoder_process`. A request is a line of JSON and bytes; an answer is a line of JSON and
the bytes of an array. Neither is pickled, so that a process that a damaged file has taken over cannot take over ours.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.formats.safe_reading.budget import MOST_MEMORY

if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from numpy.typing import NDArray

# Windows: no window that asks what to do about a program that has died.
_NO_ERROR_BOXES = 0x8003
# Beside what may be used, for what libraries reserve and never touch.
_MOST_ADDRESSES = MOST_MEMORY + 2**30


def serve(module: str) -> None:
    """Import the module of the decoder that is asked for first, then answer requests until the parent hangs up."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What decoders print must not come between the answers.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    _be_small_and_quiet()
    # pydicom would import it to download examples; without, it is there in three quarters of the time.
    sys.modules.setdefault("requests", None)  # type: ignore[arg-type]
    importlib.import_module(module)
    _send(answers, {"ready": True})
    while line := requests.readline():
        request: dict[str, Any] = json.loads(line)
        data = requests.read(request["bytes"])
        _set_alarm(request["seconds"])
        try:
            array = np.ascontiguousarray(_decoder(request["decoder"])(data, **request["facts"]))
            _send(answers, {"dtype": array.dtype.str, "shape": array.shape}, array)
        except MemoryError:
            _send(answers, {"memory": True})
        except Exception as error:  # every decoder raises something of its own on what it cannot read
            _send(answers, {"failed": type(error).__name__})
        _set_alarm(0)


def _decoder(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def _send(answers: BinaryIO, answer: dict[str, object], array: NDArray[np.generic] | None = None) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    if array is not None and array.size:
        answers.write(array.data.cast("B"))
    answers.flush()


def _be_small_and_quiet() -> None:
    """Take no more memory than allowed, and leave no memory dump and no window behind."""
    if os.name == "nt":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(_NO_ERROR_BOXES)  # type: ignore[attr-defined,unused-ignore]
    else:
        import resource

        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            # Where the system obeys (Linux), more is not even promised; elsewhere the parent looks.
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))


def _set_alarm(seconds: float) -> None:
    """End this process after so long, also where its parent is gone and its code cannot be interrupted."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds) + 1 if seconds else 0)
