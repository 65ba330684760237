"""The notices about the open scans, each with the buttons that solve it, until they are solved or closed in a panel."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from napari.utils.notifications import show_error
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_bonescint.errors import BonescintError
from napari_bonescint.gui.common.turns import in_turns
from napari_bonescint.gui.layers.fitting import fit_visible
from napari_bonescint.gui.segment.actions import actions_for
from napari_bonescint.gui.segment.notices import NoticeBook
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.notices import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from napari.layers import Image
    from napari.viewer import Viewer

    from napari_bonescint.gui.segment.actions import Action
    from napari_bonescint.gui.segment.notices import OpenNotice

_BUTTONS_IN_A_ROW = 2


class _News(QObject):
    """Tells the lists of all panels that the book has changed."""

    changed = Signal()


_BOOK, _NEWS = NoticeBook(), _News()


class NoticeList(QWidget):
    """A box for each open notice, in the order of the layers; hidden if there is none.

    What is told, solved or closed in one panel is so in all.

    Parameters
    ----------
    viewer : Viewer
    shows : callable
        Whether this list shows an `OpenNotice`.
    """

    edited = Signal()
    """Emitted when a button has changed layers."""
    spacing_requested = Signal(object)
    """Emitted with the image whose pixel size the user wants to set."""

    def __init__(self, viewer: Viewer, shows: Callable[[OpenNotice], bool] = lambda _notice: True) -> None:
        super().__init__()
        self._viewer, self._shows = viewer, shows
        self._shown: list[OpenNotice] | None = None
        self._boxes = QVBoxLayout(self)
        self._boxes.setContentsMargins(0, 0, 0, 0)
        self._boxes.setSpacing(4)
        _NEWS.changed.connect(self.refresh)
        self.refresh()

    def texts(self) -> list[str]:
        """The sentences that are shown."""
        return [str(each.notice) for each in self._shown or []]

    def keep_result(self, images: Sequence[Image], texts: Iterable[str]) -> None:
        """Show the notices about a new result in place of those about the one before."""
        _BOOK.keep_result(images, list(texts))
        _NEWS.changed.emit()

    def note_edit(self, images: Iterable[Image]) -> None:
        """Drop the notices that the user has answered by an edit of these images."""
        _BOOK.note_edit(images)
        _NEWS.changed.emit()

    def refresh(self) -> None:
        """Show the notices that are open now."""
        found = [each for each in _BOOK.open_in(self._viewer.layers) if self._shows(each)]
        if found == self._shown:
            return
        self._shown = found
        while (item := self._boxes.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                # Hidden at once, because it is deleted only when its own button has returned.
                widget.hide()
                widget.deleteLater()
        scans = list(dict.fromkeys(each.images for each in found))
        for each in found:
            self._boxes.addWidget(self._box(each, named=len(scans) > 1))
        self.setVisible(bool(found))

    def _box(self, shown: OpenNotice, *, named: bool) -> QFrame:
        box = QFrame()
        box.setObjectName("Notice")
        box.setStyleSheet("#Notice { border: 1px solid #b0801a; border-radius: 4px; }")
        grid = QGridLayout(box)
        grid.setContentsMargins(6, 4, 4, 4)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(0, 1)
        names = " and ".join(image.name for image in shown.images)
        if named and not re.search(rf"(?<!\w){re.escape(names)}(?!\w)", shown.notice):
            scan = ToneLabel()
            scan.say(names, Tone.CAUTION)
            grid.addWidget(scan, 0, 0)
        text = PlainLabel(shown.notice, wraps=True)
        grid.addWidget(text, 1, 0, 1, 2)
        close = QToolButton()
        close.setText("×")
        close.setToolTip("Close this notice")
        close.setAccessibleName("Close this notice")
        close.clicked.connect(partial(self._close, shown))
        buttons = self._buttons(shown)
        for start in range(0, len(buttons), _BUTTONS_IN_A_ROW):
            row = QHBoxLayout()
            for button in buttons[start : start + _BUTTONS_IN_A_ROW]:
                row.addWidget(button)
            row.addStretch()
            grid.addLayout(row, grid.rowCount(), 0, 1, 3)
        grid.addWidget(close, 0, 2, 2, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        return box

    def _buttons(self, shown: OpenNotice) -> list[QPushButton]:
        buttons = []
        for action in actions_for(shown):
            button = QPushButton(action.text)
            button.clicked.connect(partial(self._act, shown, action))
            buttons.append(button)
        if shown.notice.remedy is Remedy.SET_SPACING:
            button = QPushButton("Set the pixel size …")
            button.clicked.connect(lambda: self.spacing_requested.emit(shown.images[0]))
            buttons.append(button)
        return buttons

    def _act(self, shown: OpenNotice, action: Action, _checked: bool = False) -> None:
        try:
            steps = action.run(self._viewer.layers)
            if steps is not None:
                next(steps)  # refuses what cannot be done
        except BonescintError as error:
            show_error(str(error))
            return
        if steps is None:
            self._note_done(shown)
        else:
            in_turns(self, steps, then=partial(self._note_done, shown))

    def _note_done(self, shown: OpenNotice) -> None:
        notice = shown.notice
        _BOOK.note_edit(shown.images, "" if notice.remedy is Remedy.TURN_UP else notice.view)
        if notice.remedy in (Remedy.TURN_UP, Remedy.TURN_BACK):
            fit_visible(self._viewer)  # the views have another size now
        self.edited.emit()
        _NEWS.changed.emit()

    def _close(self, shown: OpenNotice, _checked: bool = False) -> None:
        _BOOK.close(shown)
        _NEWS.changed.emit()
