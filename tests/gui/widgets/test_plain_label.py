from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.gui.widgets.plain_label import PlainLabel

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def test_what_looks_like_html_is_shown_as_it_stands(qtbot: QtBot, tmp_path: Path) -> None:
    plain = PlainLabel("A")
    qtbot.addWidget(plain)
    height = plain.sizeHint().height()
    plain.setText("<h1>A</h1><br><br>")
    # One line, as long as what was written.
    assert plain.sizeHint().height() == height
    assert plain.sizeHint().width() > PlainLabel("<h1>A</h1>").sizeHint().width()
