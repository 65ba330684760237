"""The tab "Verdict": compares new weights with the model in use, and lets the user decide."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QHeaderView,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import qdebounced

from napari_bonescint.evaluation.folds import EXTRA_TRAININGS
from napari_bonescint.evaluation.verdict import Recommendation, SetKind, Verdict
from napari_bonescint.gui.common.escape_key import EscapeKey
from napari_bonescint.gui.retrain.image_view import ImageView, load_picture
from napari_bonescint.gui.widgets.plain_label import PlainLabel
from napari_bonescint.gui.widgets.text_colours import Tone, ToneLabel, colour_of

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QFontMetrics, QImage

    from napari_bonescint.evaluation.verdict import Row
    from napari_bonescint.gui.common.file_worker import FileWorker

_TONES = {
    Recommendation.USE: Tone.GOOD,
    Recommendation.KEEP: Tone.WRONG,
    Recommendation.CANNOT_TELL: Tone.CAUTION,
}
_SETS = {SetKind.CORRECTED: "Corrected scans, held out", SetKind.SIMULATED: "Simulated test"}
_COLUMNS = ("Region", "Now", "New", "Change (95 %)")
_OLD = "Old"
_PADDING = 8
_LABEL = Qt.ItemDataRole.UserRole


class ComparisonPage(QWidget):
    """Recommendation, table, pictures and buttons; `background` loads the pictures."""

    comparison_requested = Signal()
    """Emitted when the user wants to compare the weights."""
    cancelled = Signal()
    """Emitted when the user wants the comparison that runs to end."""
    accepted = Signal()
    """Emitted when the user accepts the new weights."""
    declined = Signal()
    """Emitted when the user keeps the present weights."""
    folds_requested = Signal()
    """Emitted when the user wants to train again, so that all patients count."""

    def __init__(self, background: FileWorker) -> None:
        super().__init__()
        self._background = background
        self._pictures: list[ImageView] = []
        self._items: list[QTreeWidgetItem] = []
        self.sentence = ToneLabel(style="font-weight: bold;")
        self.bar = QProgressBar()
        self.cancel_button = QPushButton("Cancel")
        self._escape = EscapeKey(self, self.cancelled.emit)
        self.compare_button = QPushButton("Compare with the present weights")
        self.table = QTreeWidget()
        self.details = PlainLabel(wraps=True)
        self.use_button = QPushButton("Use these weights")
        self.keep_button = QPushButton("Keep the present ones")
        self.folds_button = QPushButton(f"Train with {EXTRA_TRAININGS} …")
        self.folds_button.setToolTip("Opens the tab Set up with these trainings ticked")
        self._lay_out()
        self.compare_button.clicked.connect(self.comparison_requested)
        self.cancel_button.clicked.connect(self.cancelled)
        self.use_button.clicked.connect(self.accepted)
        self.keep_button.clicked.connect(self.declined)
        self.folds_button.clicked.connect(self.folds_requested)
        self.clear("When a training has finished, its weights are compared with the present ones here.")

    def clear(self, sentence: str, *, can_judge: bool = False) -> None:
        """Show a sentence in place of a verdict; `can_judge` shows the button that compares the weights."""
        self.sentence.say(sentence)
        self._show_running(False)
        self.compare_button.setVisible(can_judge)
        self.folds_button.hide()
        self._show_parts(shown=False)

    def show_judging(self, done: int, of: int) -> None:
        """Show the progress of a comparison: the number of segmentations done, and of all."""
        self.clear("Comparing the new weights with the present ones …")
        self._show_running(True)
        self.bar.setMaximum(of)
        self.bar.setValue(done)

    def show_verdict(self, verdict: Verdict, folder: Path, *, in_use: bool = False) -> None:
        """Show a verdict, with pictures from `folder`; if the new weights are `in_use`, there is nothing to decide."""
        self.clear("")
        self.sentence.say(verdict.sentences[0], _TONES[verdict.recommendation])
        compared = f"Compared: {verdict.new} with {verdict.current}."
        self.details.setText("\n\n".join([*verdict.sentences[1:], compared, verdict.rule]))
        self.table.headerItem().setText(1, _OLD if in_use else _COLUMNS[1])
        self._fill_table(verdict.rows)
        for picture in verdict.pictures:
            caption, shown = PlainLabel(picture.caption, wraps=True), ImageView(picture.caption)
            self._pictures_layout.addWidget(caption)
            self._pictures_layout.addWidget(shown)
            self._pictures.append(shown)
            load = partial(load_picture, folder / picture.file)
            self._background.run(load, partial(self._put, shown, picture.caption), partial(self._say, shown, caption))
        self._show_parts(shown=True)
        self.folds_button.setVisible(verdict.recommendation is Recommendation.CANNOT_TELL)
        default = self.use_button if verdict.recommendation is Recommendation.USE else self.keep_button
        default.setDefault(True)
        if in_use:
            self.show_decision(f"These weights are in use. They were compared with {verdict.current}.")

    def show_decision(self, sentence: str) -> None:
        """Show the user's decision above the verdict."""
        self.sentence.say(sentence)
        # Otherwise the pressed button passes its focus to the table, and the page scrolls there.
        self.setFocus()
        for button in (self.use_button, self.keep_button):
            button.setEnabled(False)

    def _show_running(self, running: bool) -> None:
        for widget in (self.bar, self.cancel_button):
            widget.setVisible(running)
        self._escape.listen(running)

    def _put(self, shown: ImageView, caption: str, image: QImage) -> None:
        if shown in self._pictures:
            shown.show_image(image, caption)

    def _say(self, shown: ImageView, caption: PlainLabel, sentence: str) -> None:
        if shown in self._pictures:
            caption.setText(sentence)

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
        self._items = []
        for name in dict.fromkeys(row.set for row in rows):
            group = QTreeWidgetItem([_SETS[name]])
            bold = self.table.font()
            bold.setBold(True)
            group.setFont(0, bold)
            self.table.addTopLevelItem(group)
            group.setFirstColumnSpanned(True)
            items = [_item(row) for row in rows if row.set == name]
            group.addChildren(items)
            self._items += [group, *items]
            group.setExpanded(True)
        self._fit_table()

    def _fit_table(self) -> None:
        """Wrap names that are too long for the first column, and show all rows: the page scrolls, not the table."""
        metrics, room = self.table.fontMetrics(), self.table.header().sectionSize(0) - _PADDING
        height = self.table.header().sizeHint().height()
        for item in self._items:
            if label := item.data(0, _LABEL):
                item.setText(0, _wrapped(label, metrics, room))
            height += self.table.sizeHintForIndex(self.table.indexFromItem(item)).height()
        self.table.setFixedHeight(height + 4)

    def _lay_out(self) -> None:
        self.table.setHeaderLabels(_COLUMNS)
        self.table.setIndentation(0)
        self.table.setRootIsDecorated(False)
        self.table.setStyleSheet("QTreeWidget { font-size: 11px; }")
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.header()
        header.setMinimumSectionSize(20)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        # Fitting the table may resize its columns again, so it waits for the event loop.
        fit_soon = qdebounced(self._fit_table, timeout=0)
        header.sectionResized.connect(lambda *_section: fit_soon())
        self._pictures_layout = QVBoxLayout()
        layout = QVBoxLayout(self)
        decisions = (self.compare_button, self.folds_button, self.use_button, self.keep_button)
        for part in (self.sentence, self.bar, self.cancel_button, *decisions, self.details, self.table):
            layout.addWidget(part)
        layout.addLayout(self._pictures_layout)
        layout.addStretch()


def _item(row: Row) -> QTreeWidgetItem:
    change = _brief(row.difference, sign="+")
    if row.low is not None and row.high is not None:
        change += f" ({_brief(row.low)}, {_brief(row.high)})"
    item = QTreeWidgetItem([row.label, _brief(row.current), _brief(row.new), change])
    item.setData(0, _LABEL, row.label)
    for column in range(1, len(_COLUMNS)):
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setToolTip(0, f"{row.label}: {row.patients} patients, {row.views} views")
    if row.low is not None and row.low > 0:
        item.setForeground(3, QColor(colour_of(Tone.GOOD)))
    elif row.high is not None and row.high < 0:
        item.setForeground(3, QColor(colour_of(Tone.WRONG)))
    return item


def _wrapped(text: str, metrics: QFontMetrics, room: int) -> str:
    """A text wrapped to a width of `room` pixels; words are not broken."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and metrics.horizontalAdvance(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _brief(value: float, sign: str = "") -> str:
    """A number with three digits and no zero before the point, for narrow columns: ``.912``, ``+.019``."""
    return f"{value:{sign}.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:{sign}.3f}"
