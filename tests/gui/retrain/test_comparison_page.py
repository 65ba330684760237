from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from gui.retrain.verdicts import VERDICT, write_verdict
from napari_bonescint.gui.retrain.comparison_page import ComparisonPage
from napari_bonescint.gui.retrain.image_view import ImageView

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from napari_bonescint.gui.common.file_worker import FileWorker


@pytest.fixture
def page(background: FileWorker, qtbot: QtBot) -> ComparisonPage:
    page = ComparisonPage(background)
    qtbot.addWidget(page)
    page.show()
    return page


def rows_in(page: ComparisonPage) -> list[tuple[str, list[list[str]]]]:
    groups = [page.table.topLevelItem(at) for at in range(page.table.topLevelItemCount())]
    return [
        (group.text(0), [[group.child(at).text(column) for column in range(4)] for at in range(group.childCount())])
        for group in groups
    ]


def test_a_verdict_is_a_sentence_a_table_and_pictures(page: ComparisonPage, tmp_path: Path, qtbot: QtBot) -> None:
    write_verdict(tmp_path / "verdict")
    page.show_verdict(VERDICT, tmp_path / "verdict")
    assert page.sentence.text() == "Use the new weights: they are better on corrected scans."
    assert "Masks corrected from a model favour it." in page.details.text()
    assert "Better with the lower bound above zero." in page.details.text()
    assert rows_in(page) == [
        (
            "Corrected scans, held out",
            [["ribs", ".800", ".850", "+.050 (.010, .090)"], ["skull", ".900", ".900", "+.000"]],
        ),
        ("Simulated test", [["ribs", ".900", ".880", "-.020 (-.030, -.010)"]]),
    ]
    qtbot.waitUntil(lambda: [picture.isVisible() for picture in page.findChildren(ImageView)] == [True, False])
    captions = [label.text() for label in page.findChildren(QLabel)]
    assert "Best: ribs" in captions
    qtbot.waitUntil(lambda: any("gone.jpg" in label.text() for label in page.findChildren(QLabel)))


def test_weights_in_use_leave_nothing_to_decide(page: ComparisonPage, tmp_path: Path) -> None:
    page.show_verdict(VERDICT, tmp_path, in_use=True)
    assert page.sentence.text() == "These weights are in use. They were compared with present (00000000)."
    assert page.table.headerItem().text(1) == "Old"
    assert not page.use_button.isEnabled()
    page.show_verdict(VERDICT, tmp_path)
    assert page.table.headerItem().text(1) == "Now"
    assert page.use_button.isEnabled()


def test_no_name_of_a_region_is_cut_off(page: ComparisonPage, tmp_path: Path, qtbot: QtBot) -> None:
    labels = ("mean of the regions", "thoracic spine", "skull")
    rows = tuple(replace(VERDICT.rows[0], label=label) for label in labels)
    page.show_verdict(replace(VERDICT, rows=rows), tmp_path)
    metrics, group = page.table.fontMetrics(), page.table.topLevelItem(0)

    def names() -> list[list[str]]:
        return [group.child(at).text(0).split("\n") for at in range(group.childCount())]

    for width in (640, 300):
        page.resize(width, 600)
        room = page.table.header().sectionSize(0)
        qtbot.waitUntil(
            lambda room=room: all(metrics.horizontalAdvance(line) <= room for name in names() for line in name)
        )
        assert [" ".join(name) for name in names()] == list(labels)
        last = page.table.visualItemRect(group.child(2))
        assert last.bottom() <= page.table.viewport().height()
    assert len(names()[0]) > 1


def test_the_user_decides_once(page: ComparisonPage, tmp_path: Path, qtbot: QtBot) -> None:
    page.show_verdict(VERDICT, tmp_path)
    with qtbot.waitSignal(page.accepted):
        qtbot.keyClick(page.use_button, Qt.Key.Key_Space)
    with qtbot.waitSignal(page.declined):
        qtbot.mouseClick(page.keep_button, Qt.MouseButton.LeftButton)
    page.keep_button.setFocus()
    page.show_decision("The present weights stay in use.")
    assert page.window().focusWidget() is page
    assert not page.use_button.isEnabled()
    assert page.sentence.text() == "The present weights stay in use."
    assert page.table.isVisible()


def test_without_a_verdict_there_is_nothing_to_decide(page: ComparisonPage, tmp_path: Path, qtbot: QtBot) -> None:
    page.show_verdict(VERDICT, tmp_path)
    page.show_judging(3, 40)
    assert (page.bar.value(), page.bar.maximum()) == (3, 40)
    assert not page.use_button.isVisible()
    with qtbot.waitSignal(page.cancelled):
        qtbot.mouseClick(page.cancel_button, Qt.MouseButton.LeftButton)
    page.clear("The weights are damaged.", can_judge=True)
    assert page.sentence.text() == "The weights are damaged."
    with qtbot.waitSignal(page.comparison_requested):
        qtbot.mouseClick(page.compare_button, Qt.MouseButton.LeftButton)
