"""A window with all masks of a case: to view one, compare two, or use one again."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.corrections.comparison import BOTH, ONLY_FIRST, ONLY_SECOND, OTHER_REGION
from napari_bonescint.corrections.entries import agreement, difference, pair_to_compare
from napari_bonescint.gui.correct.work_list.delegate import shown_time
from napari_bonescint.gui.correct.wrapped_text import WrappedText
from napari_bonescint.gui.widgets.fitted_picture import FittedPicture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.corrections.comparison import MaskComparison
    from napari_bonescint.corrections.entries import Difference, Entry
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.gui.common.file_worker import FileWorker

_COLUMNS = ("Mask", "Who", "When", "Reviewed", "Made from", "Comment")
_USUAL_SIZE = QSize(1280, 640)
# Of the screen; the rest is for the frame of the window and the task bar.
_MOST_OF_SCREEN = 0.9


class RevisionDialog(QDialog):
    """Lists the masks of a case and compares the selected ones.

    Parameters
    ----------
    parent : QWidget
        The panel.
    background : FileWorker
        The thread that reads the store.
    store : LabelStore
    case : str
        Key of the case.
    entries : sequence of Entry
        Masks of the case.
    names_regions : bool
        Whether the corrected labels are region codes; only masks of the same kind can be used again.
    """

    copy_requested = Signal(object, object)
    """Emitted with the `Entry` and its mask when the user wants it in the labels."""
    restore_requested = Signal(object, object)
    """Emitted with the `Entry` and its mask when the user wants it as the newest revision."""

    def __init__(
        self,
        parent: QWidget,
        background: FileWorker,
        store: LabelStore,
        case: str,
        entries: Sequence[Entry],
        *,
        names_regions: bool,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Revisions of {case}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._background, self._store, self._case = background, store, case
        self._names_regions = names_regions
        self.list = QTreeWidget()
        self.list.setHeaderLabels(_COLUMNS)
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.regions = QTreeWidget()
        self.regions.setHeaderLabels(("Region", "Dice", "Pixels that differ"))
        self.regions.setRootIsDecorated(False)
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.picture = FittedPicture()
        self.copy_button = QPushButton("Copy into the labels")
        self.copy_button.setToolTip("Continue with this mask; Undo restores the present one")
        self.restore_button = QPushButton("Restore as a new revision")
        self.restore_button.setToolTip(
            "Save this mask again as the newest revision; nothing is deleted, and a reviewed mask stays reviewed"
        )
        self._lay_out()
        self._rows = [(_row(entry), entry) for entry in entries]
        self.finished.connect(self._rows.clear)  # results that arrive later are ignored
        self.list.addTopLevelItems([row for row, _ in self._rows])
        *short, comment = range(len(_COLUMNS))
        for column in short:
            self.list.resizeColumnToContents(column)
        WrappedText(self.list, comment)
        self.list.itemSelectionChanged.connect(self._on_selected)
        self.copy_button.clicked.connect(lambda: self._take(self.copy_requested))
        self.restore_button.clicked.connect(lambda: self._take(self.restore_requested))
        self.select(pair_to_compare(entries))

    @property
    def selected(self) -> list[Entry]:
        """The selected masks, in the order of the list."""
        return [entry for row, entry in self._rows if row.isSelected()]

    def select(self, entries: Sequence[Entry]) -> None:
        """Select these masks and no others."""
        for row, entry in self._rows:
            row.setSelected(entry in entries)
        self._on_selected()

    def _on_selected(self) -> None:
        selected = self.selected
        one = selected[0] if len(selected) == 1 else None
        alike = one is not None and one.names_regions is self._names_regions
        self.copy_button.setEnabled(alike)
        self.restore_button.setEnabled(alike and one is not None and one.revision is not None)
        if len(selected) not in (1, 2):
            self.sentence.setText("Select one mask to view it, or two to compare them.")
            return
        first, second = selected[0], selected[-1]
        self._background.run(
            lambda: difference(self._store, self._case, first, second),
            lambda result: self._show(first, second, result),
            self._show_error,
        )

    def _show(self, first: Entry, second: Entry, result: Difference) -> None:
        if self.selected not in ([first], [first, second]):
            return  # the selection has changed in the meantime
        comparison = result.comparison
        if first is second:
            self.sentence.setText(f"{escape(first.title)}. Select a second mask, too (Ctrl+click), to compare them.")
        else:
            self.sentence.setText(f"{escape(agreement(first, second, comparison))}<br>{_legend(first, second)}")
        self.picture.set_pixmap(_pixmap(result.picture))
        self._show_regions(comparison)

    def _show_regions(self, comparison: MaskComparison) -> None:
        self.regions.clear()
        for name, changed in sorted(comparison.region_changed.items(), key=lambda region: -region[1]):
            label = REGIONS[CODES[name]].label
            self.regions.addTopLevelItem(QTreeWidgetItem([label, f"{comparison.region_dice[name]:.3f}", str(changed)]))

    def _take(self, requested: Signal) -> None:
        (entry,) = self.selected
        self._background.run(
            lambda: entry.read(self._store, self._case),
            lambda regions: self._emit(requested, entry, regions),
            self._show_error,
        )

    def _emit(self, requested: Signal, entry: Entry, regions: NDArray[np.uint8]) -> None:
        if self._rows:
            requested.emit(entry, regions)
            self.close()

    def _show_error(self, sentence: str) -> None:
        if self._rows:
            self.sentence.setText(sentence)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.restore_button)
        left = QVBoxLayout()
        left.addWidget(self.list, 3)
        left.addWidget(self.sentence)
        left.addWidget(self.regions, 4)
        left.addLayout(buttons)
        words = QWidget()
        left.setContentsMargins(0, 0, 0, 0)
        words.setLayout(left)
        parts = QSplitter(Qt.Orientation.Horizontal)
        parts.addWidget(words)
        parts.addWidget(self.picture)
        parts.setStretchFactor(0, 3)
        parts.setStretchFactor(1, 1)
        parts.setChildrenCollapsible(False)
        QHBoxLayout(self).addWidget(parts)
        screen = self.screen().availableGeometry().size() * _MOST_OF_SCREEN
        self.resize(_USUAL_SIZE.boundedTo(screen))


def _row(entry: Entry) -> QTreeWidgetItem:
    revision = entry.revision
    if revision is None:
        return QTreeWidgetItem([entry.title])
    return QTreeWidgetItem(
        [
            str(revision.number),
            revision.annotator,
            shown_time(revision.when),
            "yes" if revision.reviewed else "no",
            str(revision.origin),
            revision.comment,
        ]
    )


def _legend(first: Entry, second: Entry) -> str:
    meanings = (
        (BOTH, "in both"),
        (ONLY_FIRST, f"only {escape(first.title)}"),
        (ONLY_SECOND, f"only {escape(second.title)}"),
        (OTHER_REGION, "another region"),
    )
    return " ".join(f'<span style="color: rgb{colour}">■</span> {meaning}' for colour, meaning in meanings)


def _pixmap(rgb: NDArray[np.uint8]) -> QPixmap:
    height, width, _ = rgb.shape
    data = np.ascontiguousarray(rgb).tobytes()
    image = QImage(data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    return QPixmap.fromImage(image)
