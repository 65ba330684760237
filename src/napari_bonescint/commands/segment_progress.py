"""What `bonescint segment` shows while it runs."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_bonescint.plain_output import one_line

if TYPE_CHECKING:
    from napari_bonescint.batch.job import Job, Outcome


class SegmentProgress:
    """Lines about scans and, if standard error is a terminal, a progress bar below them.

    Parameters
    ----------
    scans : int
        How many there are to do.

    Attributes
    ----------
    ends : Counter of str
        How many scans were ``segmented``, ``kept`` and ``failed``.
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

    def __enter__(self) -> SegmentProgress:
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.close()

    def note(self, sentence: str) -> None:
        """Print something about all scans, once."""
        if sentence not in self._notes:
            self._notes.add(sentence)
            self._say(sentence)

    def progressed(self, job: Job, fraction: float) -> None:
        """Move the bar: a scan has come this far, 0 to 1."""
        self._under_way[job.number] = fraction
        self._bar.set_description_str(job.name, refresh=False)
        self._show()

    def ended(self, outcome: Outcome) -> None:
        """Print what became of a scan, and count it as done."""
        self.ends[outcome.kind] += 1
        for line in outcome.complaints:
            self._complain(line)
        if outcome.line:
            self._say(outcome.line)
        self._under_way.pop(outcome.number, None)
        self._done += 1
        self._show()

    def fail(self, line: str, *, scans: int = 1) -> None:
        """Print what is wrong with scans that are not even begun."""
        self.ends["failed"] += scans
        self._complain(line)

    def _show(self) -> None:
        self._bar.n = self._done + sum(self._under_way.values())
        self._bar.refresh()

    def _say(self, line: str) -> None:
        with tqdm.external_write_mode(sys.stdout):
            print(one_line(line), flush=True)

    def _complain(self, line: str) -> None:
        with tqdm.external_write_mode(sys.stderr):
            print(one_line(line), file=sys.stderr, flush=True)
