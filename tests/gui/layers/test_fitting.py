from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from gui.seeing import is_in_view, on_screen
from napari_bonescint.gui.layers.fitting import Fitting
from napari_bonescint.gui.layers.marks import ViewMarks, put_marks
from napari_bonescint.gui.layers.scale import ScaleBar

if TYPE_CHECKING:
    from qtpy.QtWidgets import QApplication

ROOM = 40


def marked(shape: tuple[int, int], left: float = 0) -> Image:
    image = Image(np.ones(shape), translate=(0, left))
    put_marks(image, ViewMarks(title="scan", view="anterior", letters=("R", "L")))
    return image


@pytest.fixture
def model() -> ViewerModel:
    model = ViewerModel()
    model.canvas.size = (600, 800)
    return model


@pytest.mark.parametrize("shape", [(1024, 256), (1024, 1300), (200, 2000)])
def test_there_is_room_for_captions_above_the_scene(model: ViewerModel, shape: tuple[int, int]) -> None:
    fitting = Fitting(model, ScaleBar(model))
    model.add_layer(marked(shape))
    model.add_layer(marked(shape, left=1.15 * shape[1]))
    fitting.fit()
    assert is_in_view(model, ROOM)


def test_the_scale_bar_lies_below_the_scene(model: ViewerModel) -> None:
    fitting = Fitting(model, ScaleBar(model))
    layer = model.add_layer(marked((1024, 256)))
    model.canvas.overlays.scale_bar.visible = True
    fitting.fit()
    assert is_in_view(model, ROOM)
    assert on_screen(model, layer)[:, 0].max() <= model.canvas.size[0] - 46


def test_a_scene_without_captions_is_left_to_napari(model: ViewerModel) -> None:
    model.add_image(np.ones((1024, 256)))
    before = (model.scene.camera.zoom, model.scene.camera.center)
    fitting = Fitting(model, ScaleBar(model))
    fitting.fit()
    assert (model.scene.camera.zoom, model.scene.camera.center) == before


def test_a_new_size_of_the_canvas_is_fitted_in_the_next_turn_until_the_user_moves_the_camera(
    model: ViewerModel, qapp: QApplication
) -> None:
    fitting = Fitting(model, ScaleBar(model))
    model.add_layer(marked((1024, 256)))
    fitting.fit()
    before = model.scene.camera.zoom
    model.canvas.size = (300, 900)
    assert model.scene.camera.zoom == before
    qapp.processEvents()
    assert is_in_view(model, ROOM)
    model.scene.camera.zoom *= 2
    zoom = model.scene.camera.zoom
    model.canvas.size = (700, 900)
    qapp.processEvents()
    assert model.scene.camera.zoom == zoom
    model.reset_view()
    model.canvas.size = (500, 900)
    qapp.processEvents()
    assert model.scene.camera.zoom < zoom


def test_the_grid_of_napari_is_left_alone(model: ViewerModel) -> None:
    fitting = Fitting(model, ScaleBar(model))
    model.add_layer(marked((1024, 256)))
    model.canvas.grid.enabled = True
    fitting.fit()
    assert model.scene.camera.center[-2:] == pytest.approx((511.5, 127.5))
