"""Comparing new weights with those in use, in a child process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.child_command import ChildCommand
from napari_bonescint.inference.model_shelf import current_model, label
from napari_bonescint.training.verdict import read_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.gui.background import Background
    from napari_bonescint.training.verdict import Verdict

_PROGRESS = re.compile(r"scored (\d+) of (\d+)")


class Judging(QObject):
    """One comparison at a time; a verdict that was given before is shown again.

    Parameters
    ----------
    parent : QObject
        The panel.
    background : Background
        The thread in which verdicts are read.
    """

    progressed = Signal(int, int)
    """Emitted with how many segmentations are done, and of how many."""
    judged = Signal(object, object)
    """Emitted with the `Verdict` and its folder."""
    failed = Signal(str)
    """Emitted with the reason why there is none."""

    def __init__(self, parent: QObject, background: Background) -> None:
        super().__init__(parent)
        self._background = background
        self._child = ChildCommand(self)
        self._folder: Path | None = None
        self._child.said.connect(self._on_said)
        self._child.done.connect(self._read)
        self._child.failed.connect(self.failed)

    def judge(self, weights: Path, stores: Sequence[str]) -> None:
        """Compare weights with those in use now.

        Parameters
        ----------
        weights : Path
            The new weights; the verdict is kept beside them.
        stores : sequence of str
            Label stores, of which the patients are used that are held out.
        """
        self.stop()
        try:
            current = current_model()
            self._folder = weights.parent / f"against-{label(current)}"
        except BonescintError as error:
            self.failed.emit(str(error))
            return
        if self._folder.exists():
            self._read()
            return
        self.progressed.emit(0, 0)
        against = ["--current", str(current.weights_path), "--report", str(self._folder)]
        self._child.start("napari_bonescint", ["judge", "--new", str(weights), *against, "--store", *stores])

    def stop(self) -> None:
        """End a comparison that runs."""
        self._child.stop()
        self._folder = None

    def _on_said(self, line: str) -> None:
        if found := _PROGRESS.fullmatch(line):
            self.progressed.emit(int(found[1]), int(found[2]))

    def _read(self) -> None:
        folder = self._folder
        if folder is not None:
            self._background.run(
                lambda: read_verdict(folder), lambda verdict: self._tell(folder, verdict), self.failed.emit
            )

    def _tell(self, folder: Path, verdict: Verdict) -> None:
        if folder == self._folder:
            self.judged.emit(verdict, folder)
