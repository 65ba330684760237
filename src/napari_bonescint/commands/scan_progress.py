"""Messages and the progress bar of the commands that work on many scans."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_bonescint.commands.terminal import print_error, print_line

if TYPE_CHECKING:
    from napari_bonescint.batch.job import Job, Outcome


class ScanProgress:
    """Prints a line for each scan and, on a terminal, a progress bar below.

    Parameters
    ----------
    scans : int
        Number of scans to work on.

    Attributes
    ----------
    ends : Counter of str
        Number of scans that were ``segmented`` or ``measured``, were ``kept`` and ``failed``.
    """

    def __init__(self, scans: int) -> None:
        self.ends: Counter[str] = Counter()
        self._notes: set[str] = set()
        self._under_way: dict[int, float] = {}
        self._done = 0
        self._bar = tqdm(
            total=scans,
            disable=None,  # shown on a terminal only
            leave=False,
            file=sys.stderr,
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        )

    def __enter__(self) -> ScanProgress:
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.close()

    def note(self, sentence: str) -> None:
        """Print a sentence about all scans; a repeated one is printed once."""
        if sentence not in self._notes:
            self._notes.add(sentence)
            print_line(sentence)

    def progressed(self, job: Job, fraction: float) -> None:
        """Show how much of a scan is done, 0 to 1."""
        self._under_way[job.number] = fraction
        self._bar.set_description_str(job.name, refresh=False)
        self._show()

    def ended(self, outcome: Outcome) -> None:
        """Print the result of a scan and count the scan as done."""
        self.ends[outcome.kind] += 1
        for line in outcome.complaints:
            print_error(line)
        if outcome.line:
            print_line(outcome.line)
        self._under_way.pop(outcome.number, None)
        self._done += 1
        self._show()

    def fail(self, line: str, *, scans: int = 1) -> None:
        """Print an error about scans that were not started."""
        self.ends["failed"] += scans
        print_error(line)

    def _show(self) -> None:
        self._bar.n = self._done + sum(self._under_way.values())
        self._bar.refresh()
