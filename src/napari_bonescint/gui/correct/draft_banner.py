"""A banner that offers drafts: unsaved work from before a crash or a closed window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QPushButton

from napari_bonescint.gui.correct.work_list.delegate import shown_time
from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_bonescint.corrections.store.drafts import Draft


class DraftBanner(QFrame):
    """A line about the waiting drafts; hidden if there are none.

    Parameters
    ----------
    name_of : callable
        Takes the key of a case, and returns the name by which the annotator knows it.
    """

    open_requested = Signal(str)
    """Emitted with the key of the case whose draft the user wants to open."""
    discard_requested = Signal(str)
    """Emitted with the key of the case whose draft the user wants to delete."""

    def __init__(self, name_of: Callable[[str], str] = str) -> None:
        super().__init__()
        self._name_of = name_of
        self._waiting: list[Draft] = []
        self.text = PlainLabel(wraps=True)
        self.open_button = QPushButton("Go on with it")
        self.discard_button = QPushButton("Discard")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.open_button)
        layout.addWidget(self.discard_button)
        # Both colours are given, since the theme's text may be dark.
        self.setStyleSheet(
            "DraftBanner { background: #5c4400; border-radius: 4px; } DraftBanner QLabel { color: white; }"
        )
        self.open_button.clicked.connect(lambda: self.open_requested.emit(self._waiting[0].case))
        self.discard_button.clicked.connect(lambda: self.discard_requested.emit(self._waiting[0].case))
        self.offer(())

    def offer(self, drafts: Iterable[Draft]) -> None:
        """Offer these drafts and no others."""
        self._waiting = list(drafts)
        self.setVisible(bool(self._waiting))
        if self._waiting:
            first, more = self._waiting[0], len(self._waiting) - 1
            name = self._name_of(first.case)
            others = f" ({more} more)" if more else ""
            self.text.setText(f"You left unsaved work on {name}, {shown_time(first.when)} UTC{others}.")

    def withdraw(self, case: str) -> None:
        """Remove the draft of a case from the banner."""
        self.offer([draft for draft in self._waiting if draft.case != case])
