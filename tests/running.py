"""`bonescint` in a process of its own, which tests read from and kill."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType


class Running:
    """A command that runs, in a process group of its own as in a terminal.

    Attributes
    ----------
    lines : list of str
        What it has printed so far.
    complaints : list of str
        What it has printed to standard error so far, less the doubts that random counts and weights raise.
    """

    def __init__(self, words: Sequence[str | Path]) -> None:
        self.lines: list[str] = []
        self.complaints: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "napari_bonescint", *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        # Read all the while, or it would wait for somebody to read.
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        with self._process:
            self._listener.join()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if not re.search(r": The (anterior|posterior) view ", line):
                self.complaints.append(line.rstrip("\n"))

    @property
    def segmented(self) -> list[str]:
        """Stems of the scans that it says it has segmented."""
        return [found[1] for line in self.lines if (found := re.search(r"/([^/]+)\.dcm: .* -> ", line))]

    @property
    def kept(self) -> list[str]:
        """Stems of the scans of which it says that their results were there."""
        return [found[1] for line in self.lines if (found := re.search(r"/([^/]+)\.dcm: kept ", line))]

    @property
    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        children = psutil.Process(self._process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def read_until_segmented(self, count: int) -> None:
        """Wait until it has segmented so many scans."""
        assert self._process.stdout is not None
        while len(self.segmented) < count:
            line = self._process.stdout.readline()
            assert line, "it ended early"
            self.lines.append(line.rstrip("\n"))

    @property
    def descendants(self) -> list[psutil.Process]:
        """All processes that it has started, and those that these have."""
        return psutil.Process(self._process.pid).children(recursive=True)

    def read_until(self, text: str) -> None:
        """Wait until it has printed a line with this text."""
        assert self._process.stdout is not None
        while not self.lines or text not in self.lines[-1]:
            line = self._process.stdout.readline()
            assert line, "it ended early"
            self.lines.append(line.rstrip("\n"))

    def interrupt(self, *, group: bool = True) -> None:
        """Press Ctrl-C: every process of the group is told, or this one alone."""
        if group:
            os.killpg(self._process.pid, signal.SIGINT)
        else:
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill it, and not its workers."""
        self._process.kill()

    def finish(self) -> int:
        """Wait for its end; the exit status."""
        assert self._process.stdout is not None
        self.lines += self._process.stdout.read().splitlines()
        self._listener.join()
        return self._process.wait()
