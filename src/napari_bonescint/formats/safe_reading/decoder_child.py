"""The program of the decoding process: it runs native decoders, which may crash.

`decoder_process` starts it and sends requests. A request is a line of JSON and bytes; an answer is a line of JSON and
the bytes of an array. Neither is pickled: a child that a damaged file took over cannot run code in its parent.
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

# Windows: no error window after a crash.
_NO_ERROR_BOXES = 0x8003
# Libraries reserve addresses that they never use.
_MOST_ADDRESSES = MOST_MEMORY + 2**30


def serve(module: str) -> None:
    """Import the module of the first decoder, then answer requests until the parent closes the pipe."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Decoders print to standard output; that must not reach the answers.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    _limit_process()
    # pydicom imports it only to download examples; without it the start takes a quarter less time.
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
        except Exception as error:  # decoders raise exceptions of their own
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


def _limit_process() -> None:
    """Limit the memory of this process, and switch off its core dump and error window."""
    if os.name == "nt":
        import ctypes

        ctypes.windll.kernel32.SetErrorMode(_NO_ERROR_BOXES)  # type: ignore[attr-defined,unused-ignore]
    else:
        import resource

        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            # Linux limits addresses; on other systems the parent watches the memory.
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))


def _set_alarm(seconds: float) -> None:
    """End this process after so many seconds, even if its parent is gone and its code cannot be interrupted."""
    if hasattr(signal, "alarm"):
        signal.alarm(int(seconds) + 1 if seconds else 0)
