"""A box that says which packages a panel lacks, and installs them; hidden if there are none."""

from __future__ import annotations

from importlib import invalidate_caches

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QFrame, QHBoxLayout, QPushButton, QVBoxLayout

from napari_bonescint.extras import install_command, missing_packages, pip_arguments
from napari_bonescint.gui.common.child_command import ChildCommand
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel

_COPIED = "Copied. Paste it into a terminal, then press Look again."


class InstallBox(QFrame):
    """Offers to install what an extra lacks.

    Parameters
    ----------
    extra : str
        One of `extras.EXTRAS`.
    subject : str
        What needs it, as the beginning of a sentence: ``Archives need``.
    """

    installed = Signal()
    """Emitted when nothing is missing any more."""

    def __init__(self, extra: str, subject: str) -> None:
        super().__init__()
        self._extra, self._subject = extra, subject
        self._child = ChildCommand(self)
        self.text, self.status = ToneLabel(), ToneLabel()
        self.install_button, self.copy_button = QPushButton("Install"), QPushButton("Copy the command")
        self.look_button = QPushButton("Look again")
        self.install_button.setToolTip("Download them with pip, usually from pypi.org, into the Python of this napari")
        self.copy_button.setToolTip("The same as a line for a terminal, also for whoever looks after this computer")
        self.install_button.clicked.connect(self._install)
        self.copy_button.clicked.connect(self._copy)
        self.look_button.clicked.connect(self.look)
        self._child.done.connect(self.look)
        self._child.failed.connect(self._on_failed)
        row = QHBoxLayout()
        for button in (self.install_button, self.copy_button, self.look_button):
            row.addWidget(button)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        layout.addLayout(row)
        layout.addWidget(self.status)
        self._show("")

    def look(self) -> None:
        """Look for the packages again."""
        invalidate_caches()
        self._show("They are not installed yet.")
        if self.isHidden():
            self.installed.emit()

    def stop(self) -> None:
        """End an installation that runs."""
        self._child.stop()

    def _show(self, sentence: str, tone: Tone = Tone.PLAIN) -> None:
        missing = missing_packages(self._extra)
        self.setVisible(bool(missing))
        self.text.say(f"{self._subject} packages that are not installed: {', '.join(missing)}.", Tone.CAUTION)
        self.status.say(sentence, tone)
        self.status.setVisible(bool(sentence))
        for button in (self.install_button, self.copy_button, self.look_button):
            button.setEnabled(not self._child.is_running)

    def _install(self) -> None:
        self._child.start("pip", pip_arguments(self._extra))
        self._show("Installing …")

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(install_command(self._extra))
        self._show(_COPIED)

    def _on_failed(self, sentence: str) -> None:
        reason = sentence.removeprefix("ERROR: ").rstrip(".")
        self._show(f"pip could not install them: {reason}.", Tone.WRONG)
