"""A child process that compares new weights with the model in use."""

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


class ComparisonResult(NamedTuple):
    """A verdict, the folder with its pictures, and whether the new weights are in use."""

    verdict: Verdict
    folder: Path
    in_use: bool


class ComparisonProcess(QObject):
    """Runs one comparison at a time; a comparison that was made before is only read, by `background`."""

    progressed = Signal(int, int)
    """Emitted with the number of segmentations done, and of all."""
    judged = Signal(object)
    """Emitted with the `ComparisonResult`."""
    failed = Signal(str)
    """Emitted with a sentence when the comparison has failed."""

    def __init__(self, parent: QObject, background: FileWorker) -> None:
        super().__init__(parent)
        self._background = background
        self._child = ChildCommand(self)
        self._comparison: BaselineComparison | None = None
        self._requests = 0
        self._child.printed.connect(self._on_printed)
        self._child.done.connect(self._read)
        self._child.failed.connect(self.failed)

    def judge(self, weights: Path, settings: RunSettings) -> None:
        """Compare new weights with their baseline, see `comparison_of`.

        Parameters
        ----------
        weights : Path
            The new weights; the verdict is written beside them.
        settings : RunSettings
            Settings of their training; the held-out patients of its label stores are compared.
        """
        self.stop()
        request = self._requests

        def begin(comparison: BaselineComparison) -> None:
            if request == self._requests:
                self._begin(comparison, weights, settings.stores)

        def fail(sentence: str) -> None:
            if request == self._requests:
                self.failed.emit(sentence)

        self._background.run(partial(comparison_of, weights, settings.start), begin, fail)

    def stop(self) -> None:
        """End the comparison, if one runs."""
        self._requests += 1
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

    def _on_printed(self, line: str) -> None:
        if found := _PROGRESS.fullmatch(line):
            self.progressed.emit(int(found[1]), int(found[2]))

    def _read(self) -> None:
        comparison = self._comparison
        if comparison is not None:
            read = partial(read_verdict, comparison.folder)
            self._background.run(read, partial(self._report, comparison), self.failed.emit)

    def _report(self, comparison: BaselineComparison, verdict: Verdict) -> None:
        if comparison is self._comparison:
            self.judged.emit(ComparisonResult(verdict, comparison.folder, comparison.in_use))
