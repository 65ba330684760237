"""A command in a child process that ends with the panel, and with napari however that one ends."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from qtpy.QtCore import QCoreApplication, QObject, QProcess, QProcessEnvironment, Signal

from napari_bonescint.child_process import STARTER

if TYPE_CHECKING:
    from collections.abc import Sequence


class ChildCommand(QObject):
    """Runs a module of this package as ``python -m`` does, one at a time.

    Parameters
    ----------
    parent : QObject
        The panel.
    """

    said = Signal(str)
    """Emitted with each line that it prints."""
    done = Signal()
    """Emitted when it has ended well."""
    failed = Signal(str)
    """Emitted with the last line of its complaint when it has not; not if it was stopped."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None

    @property
    def is_running(self) -> bool:
        """Whether a command runs."""
        return self._process is not None

    def start(self, module: str, arguments: Sequence[str]) -> None:
        """Run a command instead of the one that runs, if any.

        Parameters
        ----------
        module : str
            Name of the module, such as ``napari_bonescint``.
        arguments : sequence of str
            What follows it.
        """
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
        """End the command, if one runs; nothing more is heard of it."""
        process, self._process = self._process, None
        if process is not None:
            process.readyReadStandardOutput.disconnect(self._read)
            process.finished.disconnect(self._on_finished)
            process.errorOccurred.disconnect(self._on_error)
            # The window does not wait until it is gone, which takes longer the more memory it has; nor may it be
            # forgotten before, since Qt waits for those.
            process.setParent(QCoreApplication.instance())
            process.finished.connect(process.deleteLater)
            process.kill()

    def _read(self) -> None:
        process = self._process
        while process is not None and process.canReadLine():
            self.said.emit(bytes(process.readLine().data()).decode("utf-8", "replace").strip())

    def _on_finished(self, exit_code: int, status: QProcess.ExitStatus) -> None:
        process = self._process
        if process is None:
            return
        self._read()
        complaint = bytes(process.readAllStandardError().data()).decode("utf-8", "replace").strip().split("\n")[-1]
        self._process = None
        process.deleteLater()
        if status == QProcess.ExitStatus.NormalExit and exit_code == 0:
            self.done.emit()
        else:
            self.failed.emit(complaint.removeprefix("bonescint: ") or "The process ended unexpectedly.")

    def _on_error(self, error: QProcess.ProcessError) -> None:
        process = self._process
        if process is not None and error == QProcess.ProcessError.FailedToStart:
            self._process = None
            process.deleteLater()
            self.failed.emit(f"Python could not be started: {process.errorString()}.")
