"""A long text ends in dots where there is no room, is whole where there is, and is never taken for HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari._qt.utils import QImg2array
from qtpy.QtCore import Qt

from napari_bonescint.gui.widgets.elided_label import ElidedLabel

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def ink(label: ElidedLabel) -> int:
    """How many columns of pixels have text."""
    pixels = QImg2array(label.grab().toImage())[..., :3].astype(int)
    return int((np.ptp(pixels, axis=0).max(axis=1) > 60).sum())


def test_a_text_is_whole_or_ends_in_dots(qtbot: QtBot) -> None:
    label = ElidedLabel("<b>thoracic spine</b>")
    qtbot.addWidget(label)
    label.show()
    needed = label.sizeHint().width()
    label.resize(needed, 20)
    assert label.shown_text() == "<b>thoracic spine</b>"
    whole = ink(label)
    label.resize(needed // 2, 20)
    assert label.shown_text().startswith("<b>tho")
    assert label.shown_text().endswith("…")
    assert 0 < ink(label) < whole
    assert label.sizeHint().width() == needed
    assert label.minimumSizeHint().width() < needed // 2
    middle = ElidedLabel("march → ward-7", Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(middle)
    middle.resize(middle.sizeHint().width() * 2 // 3, 20)
    assert middle.shown_text()[-1] == "7"
