"""A child process for native decoders, which crash on some damaged files.

One child serves this process. It starts with the first file that needs it and is kept. It is started again after it
died, or was ended because it took too long or too much memory. It imports no torch, and ends with its parent.

A decoder is a function at the top of a module. It takes bytes, and numbers or texts as keywords, and returns an array.
It may raise any exception.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import psutil
from numpy.typing import NDArray

from napari_bonescint.formats.safe_reading.budget import MOST_BYTES, MOST_MEMORY, OverBudget
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.processes.child import describe_exit

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, BinaryIO

Decoder = Callable[..., NDArray[np.generic]]
Fact = int | float | str | bool | None | list[int]

SECONDS, SECONDS_A_MEGAPIXEL = 3.0, 3.0
"""Limit of computing time for one decoding: a fixed part, and a part for each million pixels."""

# The limit of elapsed time, for a busy computer and for a decoder that waits for ever.
_WALL_SECONDS_A_SECOND = 10
_SECONDS_TO_START = 60.0
_SECONDS_TO_END = 1.0
_POLL_SECONDS = 0.02
_KILLED = -9
_TOO_LARGE = f"Decoding takes more than {MOST_MEMORY // 2**20} MB of memory"
_CHILD_MODULE = f"{__name__.rpartition('.')[0]}.decoder_child"


class CannotDecode(Exception):
    """The decoder raised an exception; `str(error)` is its name."""


class DecoderProcess:
    """The child process, shared by all threads: it decodes one file at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._ready = False
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id of the child; None if it does not run."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def decode(
        self, path: Path, decoder: Decoder, data: bytes, *, pixels: int = 0, **facts: Fact
    ) -> NDArray[np.generic]:
        """Call ``decoder(data, **facts)`` in the child; the decoder is a function at the top of a module.

        The time limit grows with the expected number of `pixels`; `path` is named in a refusal.

        Raises
        ------
        CannotDecode
            If the decoder raised an exception.
        OverBudget, Refusal
            If it took too long or too much memory; if the child died, or could not be started.
        """
        seconds = SECONDS + SECONDS_A_MEGAPIXEL * pixels / 1e6
        name = f"{decoder.__module__}:{decoder.__name__}"
        request = {"decoder": name, "facts": facts, "bytes": len(data), "seconds": seconds * _WALL_SECONDS_A_SECOND}
        with self._lock:
            # The system may have killed the child for lack of memory, so a second attempt follows.
            for last in (False, True):
                process = self._running(path, decoder)
                watch = _Watchdog(process, seconds, seconds * _WALL_SECONDS_A_SECOND)
                try:
                    with watch:
                        return _exchange(process, request, data)
                except CannotDecode:
                    raise
                except BaseException as error:
                    # After Ctrl-C, too: the next file must not get this file's answer.
                    self._end(after_failure=True)
                    if not isinstance(error, (OSError, EOFError, ValueError, MemoryError)):
                        raise
                    if watch.reason or isinstance(error, MemoryError):
                        reason = watch.reason or _TOO_LARGE
                        raise OverBudget(path, f"{reason}; export the image uncompressed.") from error
                    if last or process.returncode != _KILLED:
                        how = describe_exit(process.returncode)
                        reason = f"The file is damaged: its decoder ended {how}; export the image uncompressed."
                        raise Refusal(path, reason) from error
        raise AssertionError("the last attempt returns or raises")

    def prepare(self, decoder: Decoder) -> None:
        """Start the child, if it does not run, and import the module of `decoder`; returns at once, never raises."""
        # If the lock is taken, a child exists.
        if self.pid is None and self._lock.acquire(blocking=False):
            try:
                with suppress(OSError):
                    self._start(decoder)
            finally:
                self._lock.release()

    def close(self) -> None:
        """End the child; the next file starts another one."""
        with self._lock:
            self._end()

    def forget(self) -> None:
        """Drop the child in a forked process; it belongs to the parent."""
        self._process, self._lock = None, threading.Lock()

    def _running(self, path: Path, decoder: Decoder) -> subprocess.Popen[bytes]:
        try:
            if self.pid is None:
                self._start(decoder)
            process = self._process
            if process is None:
                raise OSError("it has ended")
            if not self._ready:
                with _Watchdog(process, _SECONDS_TO_START, _SECONDS_TO_START):
                    _read_line(process)
                self._ready = True
        except (OSError, EOFError, ValueError) as error:
            self._end()
            reason = "The process that decodes compressed images could not be started; export the image uncompressed."
            raise Refusal(path, reason) from error
        return process

    def _start(self, decoder: Decoder) -> None:
        self._end()
        self._process, self._ready = _start(decoder.__module__), False

    def _end(self, *, after_failure: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        if after_failure:
            # A process that died by itself keeps its own exit code, which is available a moment later.
            with suppress(subprocess.TimeoutExpired):
                process.wait(_SECONDS_TO_END)
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


DECODER = DecoderProcess()
"""The decoding process of this process."""
atexit.register(DECODER.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODER.forget)


class _Watchdog:
    """A context in which a process is killed when it takes too long or too much memory."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, wall_seconds: float) -> None:
        self.reason = ""
        self._process = process
        self._seconds, self._wall_seconds = seconds, wall_seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="decoder watchdog", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        began = time.monotonic()
        with suppress(psutil.Error, OSError):
            watched = psutil.Process(self._process.pid)
            before = sum(watched.cpu_times()[:2])
            while not self._over.wait(_POLL_SECONDS):
                computed = sum(watched.cpu_times()[:2]) - before
                if computed > self._seconds or time.monotonic() - began > self._wall_seconds:
                    self.reason = f"Decoding takes more than {self._seconds:.0f} seconds"
                elif watched.memory_info().rss > MOST_MEMORY:
                    self.reason = _TOO_LARGE
                if self.reason:
                    self._process.kill()
                    return


def _start(module: str) -> subprocess.Popen[bytes]:
    """Start the child with this process's module path, out of reach of Ctrl-C."""
    code = f"import sys; sys.path[:] = {sys.path!r}; from {_CHILD_MODULE} import serve; serve({module!r})"
    # One thread: images are small, and each thread takes memory and time to start.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    flags: dict[str, Any] = {"process_group": 0}
    if sys.platform == "win32":
        flags = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        **flags,
    )


def _exchange(process: subprocess.Popen[bytes], request: dict[str, object], data: bytes) -> NDArray[np.generic]:
    stdin, stdout = _streams(process)
    stdin.write(json.dumps(request).encode() + b"\n")
    stdin.write(data)
    stdin.flush()
    answer = json.loads(_read_line(process))
    if "failed" in answer:
        raise CannotDecode(str(answer["failed"]))
    if "memory" in answer:
        raise MemoryError
    dtype, shape = np.dtype(answer["dtype"]), tuple(int(length) for length in answer["shape"])
    if dtype.kind not in "buif" or dtype.itemsize * int(np.prod(shape, dtype=np.float64)) > MOST_BYTES:
        raise MemoryError
    array = np.empty(shape, dtype)
    if array.size:
        view = array.data.cast("B")
        while len(view):
            count = stdout.readinto(view)  # type: ignore[attr-defined]
            if not count:
                raise EOFError("the decoder has ended")
            view = view[count:]
    return array


def _read_line(process: subprocess.Popen[bytes]) -> bytes:
    line = _streams(process)[1].readline()
    if not line.endswith(b"\n"):
        raise EOFError("the decoder has ended")
    return line


def _streams(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the decoder has no pipes")
    return process.stdin, process.stdout  # type: ignore[return-value]
