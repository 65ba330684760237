"""The bone scan index and its change, in large figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel
from napari_bonescint.measurement.bone_scan_index import DEFINITION

if TYPE_CHECKING:
    from napari_bonescint.measurement.measures import BoneScanIndex

_LARGE, _SMALL = "font-size: 30px; font-weight: bold;", "font-size: 11px;"
_GREY = "#8a8a8a"
_NOTHING = "–"


class Headline(QWidget):
    """The index, its change, and its parts."""

    def __init__(self) -> None:
        super().__init__()
        self.index, self.change = PlainLabel(_NOTHING), PlainLabel(_NOTHING)
        self.index_title, self.change_title = PlainLabel("Bone scan index, %"), PlainLabel("Change")
        self.parts = ToneLabel()
        for figure in (self.index, self.change):
            figure.setStyleSheet(_LARGE)
            figure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for small in (self.index_title, self.change_title):
            small.setStyleSheet(_SMALL)
        self.setToolTip(DEFINITION)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(0)
        grid.addWidget(self.index_title, 0, 0)
        grid.addWidget(self.change_title, 0, 1)
        grid.addWidget(self.index, 1, 0)
        grid.addWidget(self.change, 1, 1)
        grid.addWidget(self.parts, 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)

    def show_index(self, index: BoneScanIndex | None, spots: int = 0, suspicious: int = 0) -> None:
        """Show an index, with the number of hot spots and of suspicious ones; None if nothing was measured."""
        self.index.setText(_NOTHING if index is None else f"{index.total:.2f}")
        if index is None:
            self.parts.say("")
            return
        views = ", ".join(f"{view} {value:.2f}" for view, value in index.by_view.items())
        alone = f"; {views}" if len(index.by_view) > 1 else ""
        self.parts.say(
            f"{suspicious} of {spots} hot spots suspicious. With distal limbs {index.with_distal:.2f}{alone}.",
            Tone.PLAIN,
        )

    def show_change(self, change: float | None, since: str, *, within_noise: bool = False) -> None:
        """Show a change of the index, and since when; None if there is nothing to compare with.

        A change within the noise of two scans of one patient is grey.
        """
        self.change.setText(_NOTHING if change is None else f"{change:+.2f}".replace("-", "\u2212"))
        self.change.setStyleSheet(f"{_LARGE} color: {_GREY};" if within_noise else _LARGE)
        self.change_title.setText(f"{since}, within the noise" if within_noise else since)
