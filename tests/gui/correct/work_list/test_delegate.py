"""A row of the work list shows picture, name, state, who and when, and what the model expects, each in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari._qt.utils import QImg2array
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtGui import QColor, QImage, QStandardItem, QStandardItemModel
from qtpy.QtWidgets import QListView

from napari_bonescint.corrections.store.index import CaseState, CaseSummary
from napari_bonescint.corrections.work_list.queue import WorkItem
from napari_bonescint.gui.correct.work_list.delegate import WorkListDelegate, quality, shown_time, who_and_when
from napari_bonescint.gui.correct.work_list.model import ITEM
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytestqt.qtbot import QtBot

WHEN = "2026-03-01T09:30:59+00:00"
CASE = CaseSummary(
    "0123456789abcdef",
    "p",
    "s",
    tuple(ViewName),
    (2, 131, 67),
    CaseState.PREDICTED,
    uncertainty=0.25,
    predicted_dice=0.955,
)
CHIPS = ("#5f6771", "#8a5a00", "#1f5fd0", "#1a7f37")
SAVED = replace(CASE, state=CaseState.CORRECTED, annotator="Zoë", when=WHEN)


def rows_of(
    qtbot: QtBot, cases: Sequence[CaseSummary | None], open_row: int = -1, width: int = 320, picture: str = ""
) -> list[np.ndarray]:
    """What is drawn in each row, as colours of shape (y, x, 3)."""
    model = QStandardItemModel()
    for case in cases:
        row = QStandardItem()
        row.setData(WorkItem(case), ITEM)
        if picture:
            image = QImage(60, 60, QImage.Format.Format_RGB32)
            image.fill(QColor(picture))
            row.setData(image, int(Qt.ItemDataRole.DecorationRole))
        model.appendRow(row)
    view = QListView()
    qtbot.addWidget(view)
    delegate = WorkListDelegate(view)
    delegate.open_row = open_row
    view.setItemDelegate(delegate)
    view.setModel(model)
    view.setStyleSheet("QListView { background: black; color: white; border: 0; font-size: 12px; }")
    view.resize(width, 80 * len(cases))
    view.ensurePolished()
    drawn = QImage(view.size(), QImage.Format.Format_ARGB32)  # unlike a screen's, its pixels are those of the layout
    view.render(drawn)
    pixels = QImg2array(drawn)[..., :3]
    places = [view.visualRect(model.index(row, 0)) for row in range(len(cases))]
    return [pixels[place.top() : place.bottom() + 1, place.left() : place.right() + 1] for place in places]


def has(row: np.ndarray, columns: slice, colour: str) -> int:
    """How many pixels of some columns have a colour."""
    wanted = QColor(colour)
    return int((row[:, columns] == (wanted.red(), wanted.green(), wanted.blue())).all(axis=2).sum())


def test_the_words_of_a_row() -> None:
    assert who_and_when(SAVED) == "Zoë · 2026-03-01 09:30"
    assert quality(SAVED) == "Dice 0.95 · uncertainty 0.25"
    assert (who_and_when(CASE), who_and_when(None), quality(None)) == ("", "", "")
    assert quality(replace(CASE, predicted_dice=None)) == quality(replace(CASE, uncertainty=None)) == ""
    assert (shown_time(None), shown_time("")) == ("", "")


def test_each_state_has_a_colour_of_its_own_at_the_right(qtbot: QtBot) -> None:
    rows = rows_of(qtbot, [replace(CASE, state=state) for state in CaseState])
    for row, colour in zip(rows, CHIPS, strict=True):
        assert has(row, slice(-70, None), colour) > 200
        assert has(row, slice(0, -70), colour) == 0


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = np.array(QColor(colour).getRgbF()[:3])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def test_the_words_on_the_colours_can_be_read() -> None:
    assert min((1 + 0.05) / (luminance(colour) + 0.05) for colour in CHIPS) >= 4.5


def test_the_open_case_and_only_that_has_a_bar_at_its_left(qtbot: QtBot) -> None:
    first, second = rows_of(qtbot, [CASE, CASE], open_row=1)
    assert has(first, slice(0, 3), "#00a3ff") == 0
    assert has(second, slice(0, 3), "#00a3ff") == 3 * len(second)


def test_a_picture_is_drawn_whole_in_its_place_and_no_farther(qtbot: QtBot) -> None:
    (without,) = rows_of(qtbot, [CASE])
    (row,) = rows_of(qtbot, [CASE], picture="#ff0000")
    # A square in a frame of 34 by 30.
    assert has(row, slice(5, 39), "#ff0000") == 30 * 30
    np.testing.assert_array_equal(row[:, 39:], without[:, 39:])


def test_words_are_drawn_for_what_is_known(qtbot: QtBot) -> None:
    def ink(case: CaseSummary | None) -> list[bool]:
        (row,) = rows_of(qtbot, [case])
        words = row[2:-2, 45:-80].max(axis=(1, 2)) > 100
        return [bool(line.any()) for line in np.array_split(words, 2)]

    assert ink(SAVED) == ink(replace(SAVED, predicted_dice=None)) == [True, True]
    assert ink(replace(CASE, uncertainty=None)) == [True, False]


@pytest.mark.parametrize("width", [240, 400])
def test_a_long_name_leaves_the_state_readable(qtbot: QtBot, width: int) -> None:
    (short,) = rows_of(qtbot, [replace(CASE, key="0")], width=width)
    (long,) = rows_of(qtbot, [replace(CASE, key="0123456789abcdef" * 20)], width=width)
    np.testing.assert_array_equal(long[:17, -70:], short[:17, -70:])


def test_all_rows_are_of_one_height(qtbot: QtBot) -> None:
    assert {len(row) for row in rows_of(qtbot, [CASE, SAVED])} == {
        WorkListDelegate().sizeHint(None, QModelIndex()).height()
    }
