"""The dialog that sets archives up."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from magicgui.widgets import ComboBox, Container
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout

from napari_bonescint.archive.errors import ArchiveError, safely
from napari_bonescint.archive.opening import opened
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.credentials import forget_secrets, keep_secret, typed_in, use_typed
from napari_bonescint.archive.setup.setups_file import drop_setup, keep_setup, read_setups
from napari_bonescint.gui.archive.setup_form import SetupForm
from napari_bonescint.gui.common.background_dialog import BackgroundDialog
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.gui.widgets.scrolled_page import ScrolledPage
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

_NEW = "New archive"
_WIDTH, _HEIGHT = 460, 560


class SetupDialog(BackgroundDialog):
    """Sets up, tests and removes archives; all that reads, writes or connects runs in a thread."""

    kept = Signal()
    """Emitted when set-ups have changed."""

    def __init__(self, parent: QWidget, chosen: str = "") -> None:
        super().__init__(parent, "Archives")
        self._cancelled = Event()
        self._setups: tuple[ArchiveSetup, ...] = ()
        self.archive = ComboBox(label="Archive", choices=[_NEW])
        self._chooser: Container[ComboBox] = Container(widgets=[self.archive])
        self.form = SetupForm()
        self.test_button, self.save_button = QPushButton("Test"), QPushButton("Save")
        self.remove_button = QPushButton("Remove")
        self.message = ToneLabel()
        self._lay_out()
        self.archive.changed.connect(self._choose)
        self.test_button.clicked.connect(self.test)
        self.save_button.clicked.connect(self.save)
        self.remove_button.clicked.connect(self._remove)
        self._reload(chosen)

    def test(self) -> None:
        """Connect as the form says, with the secrets that were typed, and say what answered or failed."""
        setup, typed = self.form.setup, self.form.secrets

        def work() -> str:
            with typed_in(setup.name, typed), opened(setup) as archive:
                return archive.echo(is_cancelled=self._cancelled.is_set)

        self._begin(f"Testing {setup.name} …")
        self._background.run(safely(work), lambda sentence: self._end(sentence, Tone.GOOD), self._fail)

    def save(self) -> None:
        """Keep the set-up, and what was typed as secrets in the system's keyring."""
        setup, typed = self.form.setup, self.form.secrets

        def work() -> str:
            keep_setup(setup)
            use_typed(setup.name, typed)  # so that it is of use also if there is no keyring
            try:
                for kind, secret in typed.items():
                    keep_secret(setup, kind, secret)
            except ArchiveError as error:
                return f"Saved. What was typed is used until napari closes. {error}"
            return ""

        self._begin("Saving …")
        self._background.run(safely(work), lambda trouble: self._on_kept(setup.name, "Saved.", trouble), self._fail)

    def done(self, result: int) -> None:
        """Close the dialog, and end a test."""
        self._cancelled.set()
        super().done(result)

    def _remove(self) -> None:
        setup = next(each for each in self._setups if each.name == self.archive.value)

        def work() -> str:
            drop_setup(setup.name)
            try:
                forget_secrets(setup)
            except ArchiveError as error:
                return f"Removed. {error}"
            return ""

        self._begin("Removing …")
        self._background.run(safely(work), lambda trouble: self._on_kept("", "Removed.", trouble), self._fail)

    def _on_kept(self, name: str, done: str, trouble: str) -> None:
        """Show the set-ups anew; `trouble` is a sentence about the keyring, or empty."""
        self.kept.emit()
        self._end(trouble or done, Tone.WRONG if trouble else Tone.GOOD)
        if self.isVisible():
            self._reload(name)

    def _reload(self, chosen: str) -> None:
        """Read the set-ups; the form takes no entries meanwhile, since they would be replaced."""
        self.form.container.enabled = False

        def fail(sentence: str) -> None:
            self.form.container.enabled = True
            self._fail(sentence)

        def take(setups: tuple[ArchiveSetup, ...]) -> None:
            self._setups = setups
            names = [setup.name for setup in setups]
            with self.archive.changed.blocked():
                self.archive.choices = [*names, _NEW]
                self.archive.value = chosen if chosen in names else names[0] if names else _NEW
            self.form.container.enabled = True
            self._choose(self.archive.value)

        self._background.run(read_setups, take, fail)

    def _choose(self, name: str) -> None:
        setup = next((each for each in self._setups if each.name == name), None)
        self.remove_button.setEnabled(setup is not None)
        self.form.show(setup or ArchiveSetup("", Kind.DICOMWEB))

    def _stop(self) -> None:
        self._cancelled.set()
        super()._stop()

    def _begin(self, doing: str) -> None:
        self._is_busy = True
        self.message.say(doing)
        for button in (self.test_button, self.save_button, self.remove_button):
            button.setEnabled(False)

    def _fail(self, sentence: str) -> None:
        self._end(sentence, Tone.WRONG)

    def _end(self, sentence: str, tone: Tone) -> None:
        self._is_busy = False
        self.message.say(sentence, tone)
        self._end_when_idle()
        for button in (self.test_button, self.save_button):
            button.setEnabled(True)
        self.remove_button.setEnabled(self.archive.value != _NEW)

    def _lay_out(self) -> None:
        for form in (self._chooser, self.form.container):
            form.margins = (0, 0, 0, 0)
            ignore_wheel(form.native)
        layout = QVBoxLayout(self)
        layout.addWidget(self._chooser.native)
        layout.addWidget(ScrolledPage(self.form.container.native), 1)
        layout.addWidget(self.message)
        layout.addLayout(self._button_row((self.test_button, self.save_button, self.remove_button)))
        self.resize(_WIDTH, _HEIGHT)
