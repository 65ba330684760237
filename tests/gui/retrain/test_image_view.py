from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog

from napari_bonescint.gui.retrain.image_view import CannotShow, ImageView, load_picture

if TYPE_CHECKING:
    from pathlib import Path

    from pytestqt.qtbot import QtBot


def test_a_picture_keeps_its_proportions_and_is_shown_large_by_a_key(tmp_path: Path, qtbot: QtBot) -> None:
    Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")
    picture = ImageView()
    qtbot.addWidget(picture)
    picture.show_image(load_picture(tmp_path / "a.png"), "Best")
    assert picture.heightForWidth(300) == 200
    picture.show()
    qtbot.keyClick(picture, Qt.Key.Key_Space)
    dialog = picture.findChild(QDialog)
    assert dialog.isVisible()
    assert dialog.windowTitle() == "Best"
    assert dialog.width() > 600
    dialog.close()


def test_no_picture_takes_no_room(qtbot: QtBot) -> None:
    picture = ImageView("Best")
    qtbot.addWidget(picture)
    assert picture.heightForWidth(300) == 0
    assert picture.show_large() is None


def test_a_damaged_picture_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    for name in ("a.png", "none.png"):
        with pytest.raises(CannotShow, match=name):
            load_picture(tmp_path / name)
