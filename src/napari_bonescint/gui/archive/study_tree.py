"""The list of studies that an archive has, with their series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QByteArray, QMimeData, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from napari_bonescint.archive.priors import why_not
from napari_bonescint.archive.records import Series, Study
from napari_bonescint.gui.archive.dropping import MIME
from napari_bonescint.gui.archive.rows import COLUMNS, series_cells, study_cells, study_hint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WHAT = Qt.ItemDataRole.UserRole
_DATE, _TEXT = 0, 1
_DATE_WIDTH = 112


class StudyTree(QTreeWidget):
    """Studies, whose series are asked for when a study is opened up."""

    series_wanted = Signal(object)
    """Emitted with a study whose series are not known yet."""
    chosen = Signal()
    """Emitted when another study or series is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Studies")
        self.setHeaderLabels(list(COLUMNS))
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        header = self.header()
        header.resizeSection(_DATE, _DATE_WIDTH)
        header.setSectionResizeMode(_TEXT, QHeaderView.ResizeMode.Stretch)
        self.itemExpanded.connect(self._on_expanded)
        self.itemSelectionChanged.connect(self.chosen)

    @property
    def study(self) -> Study | None:
        """The chosen study, or that of the chosen series."""
        item = self._chosen_item()
        if item is None:
            return None
        item = item.parent() or item
        study: Study = item.data(0, _WHAT)
        return study

    @property
    def series(self) -> tuple[Series, ...]:
        """The chosen series; none if a study is chosen."""
        item = self._chosen_item()
        what = None if item is None else item.data(0, _WHAT)
        return (what,) if isinstance(what, Series) else ()

    def show_studies(self, studies: Sequence[Study]) -> None:
        """Show other studies; the chosen one stays, or else the first one is chosen."""
        chosen = "" if self.study is None else self.study.uid
        self.clear()
        for study in studies:
            item = QTreeWidgetItem(self, list(study_cells(study)))
            item.setData(0, _WHAT, study)
            item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
            item.setToolTip(_TEXT, f"{item.text(_TEXT)}\n{study_hint(study)}".strip())
        named = [item for item in self._items() if item.data(0, _WHAT).uid == chosen]
        for item in (*named, *self._items())[:1]:
            self.setCurrentItem(item)

    def show_series(self, study: Study, series: Sequence[Series]) -> None:
        """Show the series of a study."""
        for item in self._items():
            if item.data(0, _WHAT) is study:
                item.takeChildren()
                for each in series:
                    child = QTreeWidgetItem(item)
                    child.setData(0, _WHAT, each)
                    _fill(child, each, why_not(each))
                if not series:
                    item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.DontShowIndicator)

    def show_reasons(self, reasons: Mapping[str, str]) -> None:
        """Show why series cannot be opened."""
        for item in self._items():
            for child in (item.child(row) for row in range(item.childCount())):
                series: Any = None if child is None else child.data(0, _WHAT)
                if child is not None and isinstance(series, Series) and series.uid in reasons:
                    _fill(child, series, reasons[series.uid])

    def mimeTypes(self) -> list[str]:  # noqa: N802
        """The kind of what is dragged."""
        return [MIME]

    def mimeData(self, items: Sequence[QTreeWidgetItem]) -> QMimeData:  # noqa: N802, ARG002
        """What is dragged, which names no patient; the chosen row says the rest."""
        data = QMimeData()
        data.setData(MIME, QByteArray())
        return data

    def _items(self) -> list[QTreeWidgetItem]:
        items = (self.topLevelItem(row) for row in range(self.topLevelItemCount()))
        return [item for item in items if item is not None]

    def _chosen_item(self) -> QTreeWidgetItem | None:
        return next(iter(self.selectedItems()), None)

    def _on_expanded(self, item: QTreeWidgetItem) -> None:
        if not item.childCount():
            self.series_wanted.emit(item.data(0, _WHAT))


def _fill(item: QTreeWidgetItem, series: Series, reason: str) -> None:
    for column, text in enumerate(series_cells(series, reason)):
        item.setText(column, text)
        item.setToolTip(column, text)
    if reason:
        # A disabled item would be grey, and its reason hard to read.
        item.setFlags(item.flags() & ~(Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled))
