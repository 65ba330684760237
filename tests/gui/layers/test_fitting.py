from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from gui.seeing import is_in_view
from napari_bonescint.gui.layers.fitting import Fitting
from napari_bonescint.gui.layers.marks import ViewMarks, put_marks
from napari_bonescint.gui.layers.viewer_parts import camera_of

ROOM = 40


def marked(shape: tuple[int, int], left: float = 0) -> Image:
    image = Image(np.ones(shape), translate=(0, left))
    put_marks(image, ViewMarks(title="scan", view="anterior", letters=("R", "L"), size=shape))
    return image


@pytest.fixture
def model() -> ViewerModel:
    model = ViewerModel()
    model.canvas.size = (600, 800)
    return model


@pytest.mark.parametrize("shape", [(1024, 256), (1024, 1300), (200, 2000)])
def test_there_is_room_for_captions_above_the_scene(model: ViewerModel, shape: tuple[int, int]) -> None:
    fitting = Fitting(model)
    model.add_layer(marked(shape))
    model.add_layer(marked(shape, left=1.15 * shape[1]))
    fitting.fit()
    assert is_in_view(model, ROOM)


def test_a_scene_without_captions_is_left_to_napari(model: ViewerModel) -> None:
    model.add_image(np.ones((1024, 256)))
    before = (camera_of(model).zoom, camera_of(model).center)
    fitting = Fitting(model)
    fitting.fit()
    assert (camera_of(model).zoom, camera_of(model).center) == before


def test_a_new_size_of_the_canvas_is_fitted_until_the_user_moves_the_camera(model: ViewerModel) -> None:
    fitting = Fitting(model)
    model.add_layer(marked((1024, 256)))
    fitting.fit()
    model.canvas.size = (300, 900)
    assert is_in_view(model, ROOM)
    camera_of(model).zoom *= 2
    zoom = camera_of(model).zoom
    model.canvas.size = (700, 900)
    assert camera_of(model).zoom == zoom
    model.reset_view()
    model.canvas.size = (500, 900)
    assert camera_of(model).zoom < zoom


def test_the_grid_of_napari_is_left_alone(model: ViewerModel) -> None:
    fitting = Fitting(model)
    model.add_layer(marked((1024, 256)))
    model.canvas.grid.enabled = True
    fitting.fit()
    assert camera_of(model).center[-2:] == pytest.approx((511.5, 127.5))
