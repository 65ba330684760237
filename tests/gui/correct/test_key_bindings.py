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


def test_a_key_that_napari_does_not_know_is_an_error() -> None:
    keys = KeyBindings()
    for unknown in ("Comma", "Return", ""):
        with pytest.raises(ValueError, match="no key that napari knows"):
            keys.bind([ViewerModel()], unknown, lambda: None)
    keys.bind([ViewerModel()], ",", lambda: None)


def test_keys_go_along_to_the_layer_that_is_active_and_leave_it_as_it_was(
    viewer: Viewer, presses: Callable[[str], None]
) -> None:
    labels, other = viewer.add_labels(np.zeros((9, 9), np.uint8)), viewer.add_labels(np.zeros((9, 9), np.uint8))
    image = viewer.add_image(np.zeros((9, 9)))
    image.bind_key("J", lambda _image: done.append("the image's"))
    before = [dict(layer.keymap) for layer in (other, image)]
    done: list[str] = []
    keys = KeyBindings()

    def bind(owners: Sequence[Any]) -> None:
        keys.bind(owners, "J", lambda: done.append("J"))
        keys.bind(owners, "X", lambda: done.append("X"))  # of image layers, it turns a plane
        keys.bind([viewer], "B", lambda: done.append("B"))

    keys.move_to([labels, viewer], bind)
    for layer in (image, labels, other):
        viewer.layers.selection.active = layer
        presses("J")
        presses("X")
    viewer.layers.selection.clear()
    presses("J")
    presses("B")
    assert done == ["J", "X"] * 3 + ["J", "B"]
    assert [dict(layer.keymap) for layer in (other, image)] == before
    viewer.layers.selection.active = image
    keys.move_to([], bind)
    presses("J")
    assert done[-1] == "the image's"
    assert [dict(layer.keymap) for layer in (other, image)] == before


def test_an_action_that_returns_false_leaves_the_key_to_napari(viewer: Viewer, presses: Callable[[str], None]) -> None:
    labels = viewer.add_labels(np.zeros((9, 9), np.uint8))
    labels.mode = "polygon"
    labels._overlays["polygon"].points = [(1, 1), (2, 2)]
    answers = iter((True, False))
    keys = KeyBindings()
    keys.move_to([labels, viewer], lambda owners: keys.bind(owners, "Escape", lambda: next(answers)))
    presses("Escape")
    assert len(labels._overlays["polygon"].points) == 2
    presses("Escape")
    assert len(labels._overlays["polygon"].points) == 0
    keys.release()
