"""New weights against those in use: the verdict, and what the user makes of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_bonescint.gui.pictures import Picture, load_picture
from napari_bonescint.training.verdict import Recommendation, SetKind, Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QImage

    from napari_bonescint.gui.background import Background
    from napari_bonescint.training.verdict import Row

_COLOURS = {Recommendation.USE: "#59a14f", Recommendation.KEEP: "#ff7b72", Recommendation.CANNOT_TELL: "#f0a030"}
_SETS = {SetKind.CORRECTED: "Corrected scans, held out", SetKind.SIMULATED: "Simulated test"}
_COLUMNS = ("Region", "Now", "New", "Change (95 %)")


class VerdictPage(QWidget):
    """Recommendation, table and pictures, and the buttons that decide.

    Parameters
    ----------
    background : Background
        The thread in which pictures are loaded.
    """

    judging_wanted = Signal()
    """Emitted when the weights shall be compared."""
    accepted = Signal()
    """Emitted when the new weights shall be used."""
    declined = Signal()
    """Emitted when the present ones shall stay."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._pictures: list[Picture] = []
        self.sentence = QLabel()
        self.bar = QProgressBar()
        self.judge_button = QPushButton("Compare with the present weights")
        self.table = QTreeWidget()
        self.details = QLabel()
        self.use_button = QPushButton("Use these weights")
        self.keep_button = QPushButton("Keep the present ones")
        self._lay_out()
        self.judge_button.clicked.connect(self.judging_wanted)
        self.use_button.clicked.connect(self.accepted)
        self.keep_button.clicked.connect(self.declined)
        self.clear("When a training has finished, its weights are compared with the present ones here.")

    def clear(self, sentence: str, *, can_judge: bool = False) -> None:
        """Show no verdict, but a sentence.

        Parameters
        ----------
        sentence : str
            Why there is none.
        can_judge : bool
            Whether there are weights that can be compared.
        """
        self._say(sentence, "")
        self.bar.hide()
        self.judge_button.setVisible(can_judge)
        self._show_parts(shown=False)

    def show_judging(self, done: int, of: int) -> None:
        """Show that the weights are being compared."""
        self.clear("Comparing the new weights with the present ones …")
        self.bar.show()
        self.bar.setMaximum(of)
        self.bar.setValue(done)

    def show_verdict(self, verdict: Verdict, folder: Path) -> None:
        """Show a verdict whose pictures lie in a folder."""
        self.clear("")
        self._say(verdict.sentences[0], _COLOURS[verdict.recommendation])
        self.details.setText("\n\n".join([*verdict.sentences[1:], verdict.rule]))
        self._fill_table(verdict.rows)
        for picture in verdict.pictures:
            caption, shown = QLabel(picture.caption), Picture(picture.caption)
            caption.setWordWrap(True)
            self._pictures_layout.addWidget(caption)
            self._pictures_layout.addWidget(shown)
            self._pictures.append(shown)
            load = partial(load_picture, folder / picture.file)
            self._background.run(load, partial(self._put, shown, picture.caption), caption.setText)
        self._show_parts(shown=True)
        default = self.use_button if verdict.recommendation is Recommendation.USE else self.keep_button
        default.setDefault(True)

    def show_decision(self, sentence: str) -> None:
        """Show what was decided; the verdict stays."""
        self._say(sentence, "")
        for button in (self.use_button, self.keep_button):
            button.setEnabled(False)

    def _say(self, sentence: str, colour: str) -> None:
        self.sentence.setText(sentence)
        self.sentence.setStyleSheet(f"font-weight: bold; color: {colour};" if colour else "font-weight: bold;")

    def _put(self, shown: Picture, caption: str, image: QImage) -> None:
        if shown in self._pictures:
            shown.show_image(image, caption)

    def _show_parts(self, *, shown: bool) -> None:
        for part in (self.table, self.details, self.use_button, self.keep_button):
            part.setVisible(shown)
            part.setEnabled(shown)
        if not shown:
            self._pictures = []
            while (item := self._pictures_layout.takeAt(0)) is not None:
                widget = item.widget()
                if widget is not None:
                    widget.deleteLater()

    def _fill_table(self, rows: tuple[Row, ...]) -> None:
        self.table.clear()
        for name in dict.fromkeys(row.set for row in rows):
            group = QTreeWidgetItem([_SETS[name]])
            self.table.addTopLevelItem(group)
            group.setFirstColumnSpanned(True)
            group.addChildren([_item(row) for row in rows if row.set == name])
            group.setExpanded(True)
        # All of it is seen: it is the page that scrolls.
        shown = len(rows) + self.table.topLevelItemCount()
        row_height = self.table.sizeHintForRow(0)
        self.table.setFixedHeight(shown * row_height + self.table.header().sizeHint().height() + 4)

    def _lay_out(self) -> None:
        for text in (self.sentence, self.details):
            text.setWordWrap(True)
        self.table.setHeaderLabels(_COLUMNS)
        self.table.setIndentation(0)
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setStyleSheet("QTreeWidget { font-size: 11px; }")
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.header()
        header.setMinimumSectionSize(20)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._pictures_layout = QVBoxLayout()
        layout = QVBoxLayout(self)
        decisions = (self.judge_button, self.use_button, self.keep_button)
        for part in (self.sentence, self.bar, *decisions, self.details, self.table):
            layout.addWidget(part)
        layout.addLayout(self._pictures_layout)
        layout.addStretch()


def _item(row: Row) -> QTreeWidgetItem:
    change = _brief(row.difference, sign="+")
    if row.low is not None and row.high is not None:
        change += f" ({_brief(row.low)}, {_brief(row.high)})"
    item = QTreeWidgetItem([row.label, _brief(row.current), _brief(row.new), change])
    for column in range(1, len(_COLUMNS)):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(0, f"{row.label}: {row.patients} patients, {row.views} views")
    if row.low is not None and row.low > 0:
        item.setForeground(3, QColor(_COLOURS[Recommendation.USE]))
    elif row.high is not None and row.high < 0:
        item.setForeground(3, QColor(_COLOURS[Recommendation.KEEP]))
    return item


def _brief(value: float, sign: str = "") -> str:
    """Three digits without the zero before the point, as a narrow table needs it: ``.912``, ``+.019``."""
    return f"{value:{sign}.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:{sign}.3f}"
