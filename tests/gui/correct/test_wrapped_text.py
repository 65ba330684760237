"""A long text makes its row higher, and again when its column gets narrower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QTreeWidget, QTreeWidgetItem

from napari_bonescint.gui.correct.wrapped_text import WrappedText

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_a_row_is_as_high_as_its_text_needs(qtbot: QtBot) -> None:
    view = QTreeWidget()
    qtbot.addWidget(view)
    view.setHeaderLabels(["Number", "Comment"])
    view.addTopLevelItems([QTreeWidgetItem(["1", "short"]), QTreeWidgetItem(["2", "a long comment " * 12])])
    WrappedText(view, 1)
    view.resize(500, 400)
    view.show()
    short, long = (view.visualItemRect(view.topLevelItem(row)).height() for row in range(2))
    assert long > 2 * short
    view.resize(260, 400)
    qtbot.waitUntil(lambda: view.visualItemRect(view.topLevelItem(1)).height() > long)
    assert view.visualItemRect(view.topLevelItem(0)).height() == short
