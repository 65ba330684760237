"""A command in a child process, which ends with its panel and with napari, also if napari crashes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from qtpy.QtCore import QCoreApplication, QObject, QProcess, QProcessEnvironment, Signal

from napari_bonescint.processes.child import STARTER

if TYPE_CHECKING:
    from collections.abc import Sequence


class ChildCommand(QObject):
    """Runs one module of this package at a time, as ``python -m`` does."""

    printed = Signal(str)
    """Emitted with each line of the command's output."""
    done = Signal()
    """Emitted when the command has ended without an error."""
    failed = Signal(str)
    """Emitted with the last line of the error output when the command has failed; not after `stop`."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def is_running(self) -> bool:
        """Whether a command runs."""
        return self._process is not None

    def start(self, module: str, arguments: Sequence[str]) -> None:
        """Run a module, such as ``napari_bonescint``, with arguments; a command that runs is ended first."""
        self.stop()
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        environment.insert("PYTHONIOENCODING", "utf-8")
        environment.insert(STARTER, str(os.getpid()))
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._on_finished)
        process.errorOccurred.connect(self._on_error)
        self._process = process
        process.start(sys.executable, ["-m", module, *arguments])

    def stop(self) -> None:
        """End the command, if one runs; it emits no more signals."""
        process, self._process = self._process, None
        if process is not None:
            process.readyReadStandardOutput.disconnect(self._read)
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            # The end of a large process takes time, and Qt would block the window until then if the object were
            # deleted now.
            process.setParent(QCoreApplication.instance())
            process.finished.connect(process.deleteLater)
            process.kill()

    def _read(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            self.printed.emit(bytes(process.readLine().data()).decode("utf-8", "replace").strip())

    def _on_finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        process = self._process
        if process is None:
            return
        self._read()
        error = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip().split("\n")[-1]
        self._process = None
        process.deleteLater()
        if status == QProcess.ExitStatus.NormalExit and exit_code == 0:
            self.done.emit()
        else:
            self.failed.emit(error.removeprefix("bonescint: ") or "The process ended unexpectedly.")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        process = self._process
        if process is not None and error == QProcess.ProcessError.FailedToStart:
            self._process = None
            process.deleteLater()
            self.failed.emit(f"Python could not be started: {process.errorString()}.")
