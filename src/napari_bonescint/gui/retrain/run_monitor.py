"""Follow a training that runs in another process."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer, Signal

from napari_bonescint.training.runs.run_status import RunStatusReader, Stage

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.gui.common.file_worker import FileWorker
    from napari_bonescint.training.runs.run_status import RunStatus

_EVERY_MS = 500


class RunMonitor(QObject):
    """Reads the log of a run twice a second, in the thread of `background`, while the run is alive."""

    changed = Signal(object, object, str)
    """Emitted with the `Stage`, the `RunStatus` and, if the process ended without a reason, its last output line."""

    def __init__(self, parent: QObject, background: FileWorker) -> None:
        super().__init__(parent)
        self._background = background
        self._reader: RunStatusReader | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._read)

    @property
    def run(self) -> Path | None:
        """The folder of the run that is followed."""
        return None if self._reader is None else self._reader.run

    def follow(self, run: Path | None) -> None:
        """Follow another run, or none."""
        self._timer.stop()
        self._reader = None if run is None else RunStatusReader(run)
        self._read()

    def stop(self) -> None:
        """Follow no run."""
        self.follow(None)

    def _read(self) -> None:
        reader = self._reader
        if reader is not None:
            self._background.run(partial(_read, reader), partial(self._report, reader), lambda _sentence: None)

    def _report(self, reader: RunStatusReader, read: tuple[Stage, RunStatus, str]) -> None:
        if reader is not self._reader:
            return
        stage, run_status, last_words = read
        if stage.is_alive:
            self._timer.start()
        self.changed.emit(stage, run_status, last_words)


def _read(reader: RunStatusReader) -> tuple[Stage, RunStatus, str]:
    stage, run_status = reader.read()
    return stage, run_status, reader.last_words() if stage is Stage.INTERRUPTED else ""
