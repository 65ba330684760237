"""The bar below the panel: annotator, comment, buttons to save a case or a scan, and a line on what is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_bonescint.gui.common.settings import Setting, follow, remember, remembered
from napari_bonescint.gui.correct.correcting import Correcting
from napari_bonescint.gui.correct.opening.correcting_scan import CorrectingScan
from napari_bonescint.gui.widgets.hinted_edit import HintedEdit
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel

if TYPE_CHECKING:
    from napari_bonescint.gui.correct.controller import CorrectController

_TYPING_MS = 600


class SaveBar(QWidget):
    """Fields for annotator and comment, and buttons that save the open case, or the scan that is in no label store."""

    def __init__(self, controller: CorrectController) -> None:
        super().__init__()
        self._controller = controller
        self.name = HintedEdit(controller.annotator, hint="your name")
        self.name.setToolTip("Annotator: your name or initials; kept for the next start")
        self.comment = HintedEdit(hint="comment (optional)")
        self.next_button = QPushButton("Save and next")
        self.next_button.setToolTip(
            "Save a finished mask as reviewed, and open the next case that needs work (Ctrl+Enter)"
        )
        self.reviewed_button = QPushButton("Save as reviewed")
        self.reviewed_button.setToolTip("Save a finished mask, and stay")
        self.button = QPushButton("Save, not reviewed")
        self.button.setToolTip("Save a mask that still needs work or a second look (Ctrl+Shift+Enter)")
        self.store_button = QPushButton()
        self.store_button.setToolTip("Add this scan, without the patient's identity, and its mask to a label store")
        self.done_button = QPushButton("Done")
        self.done_button.setToolTip("End correcting this scan; its layers stay")
        self.status = ToneLabel()
        self._lay_out()
        self.name.editingFinished.connect(self._sign)
        # napari's Preferences tell each letter, and each signature moves the drafts.
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._take_name)
        follow(Setting.ANNOTATOR, self._take_name_soon)
        self.comment.textChanged.connect(self._take_comment)
        self.next_button.clicked.connect(self.save_and_next)
        self.reviewed_button.clicked.connect(self.save_as_reviewed)
        self.button.clicked.connect(self.save_not_reviewed)
        self.store_button.clicked.connect(self.save_scan)
        self.done_button.clicked.connect(controller.finish_scan)
        controller.changed.connect(self._show_case)
        controller.status.connect(self._show_status)
        controller.name_missing.connect(lambda: self.name.setFocus())
        self._show_case()

    # On some systems a click leaves the focus in the field of the name, so that its text was not taken yet.

    def save_and_next(self) -> None:
        """Save a finished mask of a case, and open the next case that needs work."""
        self._sign()
        self._controller.save_and_next()

    def save_as_reviewed(self) -> None:
        """Save a finished mask of a case."""
        self._sign()
        self._controller.save(reviewed=True)

    def save_scan(self) -> None:
        """Save the scan, which is in no label store, and its mask into one."""
        self._sign()
        self._controller.save_scan()

    def save_not_reviewed(self) -> None:
        """Save a mask of a case that needs more work or a second look."""
        self._sign()
        self._controller.save(reviewed=False)

    def _sign(self) -> None:
        name = self.name.text().strip()
        if name != self._controller.annotator:
            remember(Setting.ANNOTATOR, name)
            self._controller.sign(name)

    def _take_name_soon(self, _name: str) -> None:
        self._typing.start()

    def _take_name(self) -> None:
        """Take the name that was typed in napari's Preferences."""
        name = remembered(Setting.ANNOTATOR).strip()
        if name != self.name.text().strip():
            self.name.setText(name)
            self._controller.sign(name)

    def _take_comment(self, text: str) -> None:
        self._controller.comment = text

    def _show_case(self) -> None:
        is_scan = isinstance(self._controller.state, CorrectingScan)
        is_case = isinstance(self._controller.state, Correcting)
        for of_case in (self.next_button, self.reviewed_button, self.button):
            of_case.setVisible(not is_scan)
            of_case.setEnabled(is_case)
        for of_scan in (self.store_button, self.done_button):
            of_scan.setVisible(is_scan)
        opened = self._controller.opened
        store = "a label store …" if opened is None else opened.work.store.folder.name
        self.store_button.setText(f"Save to {store}".replace("&", "&&"))
        self.comment.setEnabled(is_scan or is_case)
        if self.comment.text() != self._controller.comment:
            self.comment.setText(self._controller.comment)

    def _show_status(self, sentence: str, wrong: bool) -> None:
        self.status.say(sentence, Tone.WRONG if wrong else Tone.PLAIN)

    def _lay_out(self) -> None:
        words = QHBoxLayout()
        words.addWidget(PlainLabel("Annotator"))
        words.addWidget(self.name, 1)
        words.addWidget(self.comment, 2)
        buttons = QHBoxLayout()
        for button in (self.next_button, self.reviewed_button, self.button, self.store_button, self.done_button):
            button.setStyleSheet("QPushButton { padding: 3px 6px; }")
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(words)
        layout.addLayout(buttons)
        layout.addWidget(self.status)
