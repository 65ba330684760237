"""A page that is higher than its room scrolls, and what is on it is never cut off at its side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_bonescint.gui.widgets.scrolled_page import ScrolledPage

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_the_page_is_shown_in_its_whole_width_and_scrolls_up_and_down(qtbot: QtBot) -> None:
    page = QWidget()
    layout = QVBoxLayout(page)
    rows = [QLabel(f"row {n}") for n in range(40)]
    for row in rows:
        row.setMinimumSize(150, 30)
        layout.addWidget(row)
    window = QWidget()
    qtbot.addWidget(window)
    beside = QHBoxLayout(window)
    scrolled = ScrolledPage(page)
    beside.addWidget(scrolled)
    window.resize(10, 200)
    window.show()
    qtbot.waitExposed(window)

    def is_whole() -> bool:
        return scrolled.viewport().width() >= page.minimumSizeHint().width()

    assert is_whole()
    assert window.height() == 200
    assert page.height() >= 40 * 30
    scrolled.ensureWidgetVisible(rows[-1])
    assert scrolled.verticalScrollBar().value() > 0
    # As a style sheet does that comes with the window, or a longer name.
    rows[5].setMinimumWidth(420)
    qtbot.waitUntil(lambda: scrolled.viewport().width() >= 420)
    assert is_whole()
    assert not scrolled.horizontalScrollBar().isVisible()


def test_a_page_is_put_in_later_and_at_the_latest_after_it_is_seen(qtbot: QtBot) -> None:
    page = QLabel("many controls")
    page.setMinimumSize(300, 30)
    scrolled = ScrolledPage(page, later=True)
    qtbot.addWidget(scrolled)
    assert scrolled.minimumSizeHint().width() >= 300, "its room is there from the beginning"
    assert scrolled.widget() is None
    scrolled.show()
    qtbot.waitUntil(lambda: scrolled.widget() is page)
    scrolled.fill()
    assert page.isVisible()


def test_a_page_is_made_when_it_is_put_in(qtbot: QtBot) -> None:
    made: list[QLabel] = []

    def make() -> QLabel:
        made.append(QLabel("many controls"))
        return made[-1]

    scrolled = ScrolledPage(make, later=True)
    qtbot.addWidget(scrolled)
    scrolled.sizeHint()
    assert made == []
    scrolled.fill()
    scrolled.fill()
    assert [scrolled.widget()] == made
