"""The dialog that sends results of an open scan to an archive."""

from __future__ import annotations

from enum import Enum
from threading import Event
from typing import TYPE_CHECKING, Any

from magicgui.widgets import CheckBox, ComboBox, Container
from napari.utils.notifications import show_info
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.archive.errors import safely
from napari_bonescint.archive.setup.setups_file import read_setups
from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.archive.sendable import first_choice, offers
from napari_bonescint.gui.archive.sending import count_waiting, discard_waiting, send_scan, send_waiting, told
from napari_bonescint.gui.common.background_dialog import BackgroundDialog
from napari_bonescint.gui.common.choices import numbered
from napari_bonescint.gui.export.dicom_fields import DicomFields
from napari_bonescint.gui.widgets.label_column import align_fields
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.question import ask
from napari_bonescint.gui.widgets.quiet_wheel import ignore_wheel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.components import LayerList
    from napari.layers import Image

    from napari_bonescint.archive.progress import OnProgress, Progress
    from napari_bonescint.archive.records import Answer
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
    from napari_bonescint.gui.archive.sendable import Measured
    from napari_bonescint.gui.archive.sending import ScanToSend

_WIDTH, _PROGRESS_MS = 460, 100
_NO_ARCHIVE = "Set an archive up first, in the panel Archive."
_NO_MASK = "Segment or measure a scan to send its results."
_NOT_MEASURED = "The scan is not measured; measure it in the panel Measure to send more than its masks."
_COMPARED = "Patient and study are compared with the scan's file, and with the archive, before anything is sent."


class Discard(Enum):
    """Answers to the question about results that wait."""

    NO = "Keep them"
    YES = "Discard them"
    CANCEL = "Cancel"


class SendDialog(BackgroundDialog):
    """Sends results in a thread.

    Parameters
    ----------
    parent : QWidget
    layers : LayerList
        Their scans with masks are offered; without any, only results that wait can be sent.
    measured : callable
        Gives a scan with its measures.
    chosen : tuple of Image
        The scan that is chosen at first.
    """

    def __init__(
        self,
        parent: QWidget,
        layers: LayerList,
        measured: Measured = lambda _images: None,
        chosen: tuple[Image, ...] = (),
    ) -> None:
        super().__init__(parent, "Send to archive")
        self._layers, self._measured = layers, measured
        self._offers = offers(layers)
        self._of: ScanToSend | None = None
        self._cancelled = Event()
        self._progress: Progress | None = None
        self._setups: tuple[ArchiveSetup, ...] = ()
        self._waiting = 0

        self.archive = ComboBox(label="Archive", choices=[])
        self.scan = ComboBox(label="Scan", choices=numbered([offer.title for offer in self._offers]))
        self.masks = CheckBox(text="Bone masks as DICOM SEG", value=True)
        self.of_measures = DicomFields("Pages")
        self.form: Container[Any] = Container(widgets=[self.archive, self.scan, self.masks, *self.of_measures.all])
        align_fields(self.form.native)
        self.note, self.message = PlainLabel(wraps=True), ToneLabel()
        self.bar = QProgressBar()
        self.send_button, self.cancel_button = QPushButton("Send"), QPushButton("Cancel")
        self.again_button, self.discard_button = QPushButton("Try again"), QPushButton("Discard …")
        self._timer = QTimer(self)
        self._timer.setInterval(_PROGRESS_MS)
        self._lay_out()
        self._connect()
        if self._offers:
            self.scan.value = first_choice(self._offers, chosen, layers.selection.active)
        self._choose()
        self._background.run(read_setups, self._take_setups, self._fail)

    def send(self) -> None:
        """Make the results that are ticked, and send them."""
        setup, of, options, masks = self._chosen(), self._of, self.of_measures.options(), self.masks.value
        if setup is None or of is None:
            return
        if not (masks or (options.wants_dicom and of.measured is not None)):
            self.message.say("Tick at least one result.", Tone.WRONG)
            return
        self._work(lambda tell: send_scan(setup, of, options, tell, self._cancelled.is_set, masks=masks), "Sending …")

    def try_again(self) -> None:
        """Send what waits for the chosen archive."""
        setup = self._chosen()
        if setup is not None:
            self._work(lambda tell: send_waiting(setup, tell, self._cancelled.is_set), "Sending …")

    def done(self, result: int) -> None:
        """Close the dialog; what is being sent stops, and is kept for another try."""
        self._cancelled.set()
        super().done(result)

    def _work(self, work: Callable[[OnProgress], tuple[Answer, ...]], doing: str) -> None:
        def tell(progress: Progress) -> None:
            self._progress = progress

        self._cancelled.clear()
        self._progress = None
        self._is_busy = True
        self.message.say(doing)
        self._show()
        self._background.run(safely(lambda: work(tell)), self._on_answers, self._fail)

    def _on_answers(self, answers: tuple[Answer, ...]) -> None:
        sentence, is_all = told(answers, self.archive.value)
        self._finish(sentence, Tone.GOOD if is_all else Tone.WRONG)

    def _fail(self, sentence: str) -> None:
        self._finish(sentence, Tone.WRONG)

    def _finish(self, sentence: str, tone: Tone) -> None:
        self._is_busy = False
        self.message.say(sentence, tone)
        if not self.isVisible():
            show_info(sentence)
            self._end_when_idle()
            return
        self._count()
        self._show()

    def _count(self) -> None:
        """Look how many results wait for the chosen archive."""
        name = self.archive.value

        def take(number: int) -> None:
            self._waiting = number
            self._show()

        if name and not self._is_closed():
            self._background.run(lambda: count_waiting(name), take, lambda sentence: self.message.say(sentence))

    def _discard(self) -> None:
        name, number = self.archive.value, counted(self._waiting, "result")
        explanation = "The scan can be measured and sent anew."
        if ask(self, "Send to archive", f"{number} for {name} did not arrive.", explanation, Discard) is Discard.YES:
            self._background.run(lambda: discard_waiting(name), lambda _: self._count(), self._fail)

    def _take_setups(self, setups: tuple[ArchiveSetup, ...]) -> None:
        # What only sends images here cannot take results.
        self._setups = tuple(setup for setup in setups if setup.endpoint[0])
        with self.archive.changed.blocked():
            self.archive.choices = [setup.name for setup in self._setups]
        self._count()
        self._show()

    def _chosen(self) -> ArchiveSetup | None:
        return next((setup for setup in self._setups if setup.name == self.archive.value), None)

    def _choose(self) -> None:
        """Take what can be sent of the chosen scan."""
        self._of = None
        self.message.say("")
        if self._offers:
            try:
                self._of = self._offers[self.scan.value].take(self._layers, self._measured)
            except BonescintError as error:
                self.message.say(str(error), Tone.WRONG)
        self._show()

    def _show(self) -> None:
        of, busy, has_archive = self._of, self._is_busy, bool(self._setups)
        is_measured = of is not None and of.measured is not None
        said = [_COMPARED if self._offers else _NO_MASK]
        if of is not None and not is_measured:
            said.insert(0, _NOT_MEASURED)
        if not has_archive:
            said.append(_NO_ARCHIVE)
        if self._waiting:
            verb = "waits" if self._waiting == 1 else "wait"
            said.append(f"{counted(self._waiting, 'result')} {verb} to be sent again.")
        self.note.setText(" ".join(said))
        self.scan.visible = bool(self._offers)
        self.form.enabled = not busy
        for field in self.of_measures.all:
            field.enabled = is_measured and not busy
        self.send_button.setEnabled(of is not None and has_archive and not busy)
        for button in (self.again_button, self.discard_button):
            button.setVisible(bool(self._waiting))
            button.setEnabled(not busy)
        for widget in (self.bar, self.cancel_button):
            widget.setVisible(busy)
        if busy:
            self._show_progress()
            self._timer.start()
        else:
            self._timer.stop()

    def _show_progress(self) -> None:
        progress = self._progress
        self.bar.setRange(0, 0 if progress is None or not progress.total else progress.total)
        if progress is not None and progress.total:
            self.bar.setFormat(f"%v of {counted(progress.total, 'result')}")
            self.bar.setValue(progress.done)

    def _is_closed(self) -> bool:
        return not self.isVisible() and self._cancelled.is_set()

    def _stop(self) -> None:
        self._cancelled.set()
        super()._stop()

    def _connect(self) -> None:
        self.send_button.clicked.connect(self.send)
        self.again_button.clicked.connect(self.try_again)
        self.discard_button.clicked.connect(self._discard)
        self.cancel_button.clicked.connect(self._cancelled.set)
        self.archive.changed.connect(self._count)
        self.scan.changed.connect(self._choose)
        self._timer.timeout.connect(self._show_progress)

    def _lay_out(self) -> None:
        self.form.margins = (0, 0, 0, 0)
        ignore_wheel(self.form.native)
        running = QHBoxLayout()
        running.addWidget(self.bar, 1)
        running.addWidget(self.cancel_button)
        self.setMinimumWidth(_WIDTH)
        layout = QVBoxLayout(self)
        layout.addWidget(self.form.native)
        layout.addWidget(self.note)
        layout.addLayout(running)
        layout.addWidget(self.message)
        layout.addLayout(self._button_row((self.send_button, self.again_button, self.discard_button)))
