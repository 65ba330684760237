from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import Qt

from napari_bonescint.gui.correct.key_bindings import KeyBindings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari import Viewer
    from pytestqt.qtbot import QtBot


@pytest.fixture
def presses(viewer: Viewer, qtbot: QtBot) -> Callable[[str], None]:
    """Presses a key over the image, as Qt gives it to the canvas."""
    return lambda key: qtbot.keyClick(viewer.window._qt_viewer.canvas.native, getattr(Qt.Key, f"Key_{key}"))


def test_a_key_does_its_new_work_and_then_its_old_again(viewer: Viewer, presses: Callable[[str], None]) -> None:
    done: list[str] = []
    viewer.bind_key("J", lambda _viewer: done.append("the user's"))
    keys = KeyBindings()
    keys.bind([viewer], "J", lambda: done.append("ours"))
    keys.hold([viewer], "B", lambda: done.append("down"), lambda: done.append("up"))
    presses("J")
    presses("B")
    keys.release()
    presses("J")
    presses("B")
    assert done == ["ours", "down", "up", "the user's"]


def test_keys_move_to_other_layers_and_stay_where_they_are_already() -> None:
    layers = [Labels(np.zeros((3, 3), np.uint8)) for _ in range(3)]
    before = [dict(layer.keymap) for layer in layers]
    model, keys = ViewerModel(), KeyBindings()
    told: list[int] = []

    def bind(owners: Sequence[Any]) -> None:
        told.append(1)
        keys.bind(owners, "G", lambda: None)

    keys.move_to([*layers[:2], model], bind)
    keys.move_to([model, *layers[:2]], bind)
    assert len(told) == 1
    keys.move_to([layers[2]], bind)
    assert [dict(layer.keymap) for layer in layers[:2]] == before[:2]
    assert dict(layers[2].keymap) != before[2]
    keys.move_to([], bind)
    assert [dict(layer.keymap) for layer in layers] == before
