"""Comparing new weights with those in use, in a child process."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from qtpy.QtCore import QObject, Signal

from napari_bonescint.evaluation.baseline import comparison_of
from napari_bonescint.evaluation.verdict import read_verdict
from napari_bonescint.gui.common.child_command import ChildCommand

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.evaluation.baseline import BaselineComparison
    from napari_bonescint.evaluation.verdict import Verdict
    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.training.runs.launch import RunSettings

_PROGRESS = re.compile(r"scored (\d+) of (\d+)")


class Judged(NamedTuple):
    """A verdict, the folder of its pictures, and whether the new weights are in use already."""

    verdict: Verdict
    folder: Path
    in_use: bool


class Judging(QObject):
    """One comparison at a time; a verdict that was given before is shown again.

    Parameters
    ----------
    parent : QObject
        The panel.
    background : FileWorker
        The thread in which verdicts are read.
    """

    progressed = Signal(int, int)
    """Emitted with how many segmentations are done, and of how many."""
    judged = Signal(object)
    """Emitted with what was `Judged`."""
    failed = Signal(str)
    """Emitted with the reason why there is none."""

    def __init__(self, parent: QObject, background: FileWorker) -> None:
        super().__init__(parent)
        self._background = background
        self._child = ChildCommand(self)
        self._comparison: BaselineComparison | None = None
        self._asked = 0
        self._child.said.connect(self._on_said)
        self._child.done.connect(self._read)
        self._child.failed.connect(self.failed)

    def judge(self, weights: Path, settings: RunSettings) -> None:
        """Compare weights with those in use now; see `comparison_of` for when these are the ones.

        Parameters
        ----------
        weights : Path
            The new weights; the verdict is kept beside them.
        settings : RunSettings
            Of their training: of its label stores the patients are used that are held out.
        """
        self.stop()
        asked = self._asked

        def begin(comparison: BaselineComparison) -> None:
            if asked == self._asked:
                self._begin(comparison, weights, settings.stores)

        def fail(sentence: str) -> None:
            if asked == self._asked:
                self.failed.emit(sentence)

        self._background.run(partial(comparison_of, weights, settings.start), begin, fail)

    def stop(self) -> None:
        """End a comparison that runs."""
        self._asked += 1
        self._child.stop()
        self._comparison = None

    def _begin(self, comparison: BaselineComparison, weights: Path, stores: Sequence[str]) -> None:
        self._comparison = comparison
        if comparison.is_finished:
            self._read()
            return
        self.progressed.emit(0, 0)
        against = ["--current", comparison.baseline, "--report", str(comparison.folder)]
        self._child.start("napari_bonescint", ["judge", "--new", str(weights), *against, "--store", *stores])

    def _on_said(self, line: str) -> None:
        if found := _PROGRESS.fullmatch(line):
            self.progressed.emit(int(found[1]), int(found[2]))

    def _read(self) -> None:
        comparison = self._comparison
        if comparison is not None:
            read = partial(read_verdict, comparison.folder)
            self._background.run(read, partial(self._tell, comparison), self.failed.emit)

    def _tell(self, comparison: BaselineComparison, verdict: Verdict) -> None:
        if comparison is self._comparison:
            self.judged.emit(Judged(verdict, comparison.folder, comparison.in_use))
