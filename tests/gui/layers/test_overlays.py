from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_bonescint.gui.layers.overlays import Lines, OverlayLayer, edges
from napari_bonescint.gui.layers.scans import can_be_scan


@pytest.fixture
def model() -> ViewerModel:
    model = ViewerModel()
    for name in ("first", "second"):
        model.add_image(np.ones((40, 20)), name=name)
    model.layers.selection = {model.layers["first"]}
    return model


def ends(lines: Lines) -> np.ndarray:
    """Both ends (y, x) of each line, of shape (n, 2, 2)."""
    return np.array(lines.drawn.lines).reshape(-1, 2, 2)


def test_a_map_comes_without_taking_the_users_selection_and_goes(model: ViewerModel) -> None:
    own = OverlayLayer(model, Image(np.ones((40, 20)), name="map"))
    own.show()
    assert [layer.name for layer in model.layers] == ["first", "second", "map"]
    assert model.layers.selection.active is model.layers["first"]
    assert not can_be_scan(own.layer)
    own.show()
    assert len(model.layers) == 3
    model.layers.remove("map")
    own.show()
    assert "map" in model.layers
    own.remove()
    own.remove()
    assert [layer.name for layer in model.layers] == ["first", "second"]


def test_lines_are_no_layer_and_go(model: ViewerModel) -> None:
    lines = Lines(model, "stroke", "orange")
    lines.show()
    lines.show()
    assert len(model.layers) == 2
    assert model.scene.overlays["bonescint stroke"] is lines.drawn
    lines.remove()
    lines.remove()
    assert "bonescint stroke" not in model.scene.overlays


def test_a_path_is_drawn_from_point_to_point_and_cleared(model: ViewerModel) -> None:
    lines = Lines(model, "stroke", "orange")
    lines.show()
    path = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 9.0]])
    lines.draw(path)
    np.testing.assert_allclose(ends(lines)[:, 0], path[:-1])
    np.testing.assert_allclose(ends(lines)[:, 1], path[1:])
    lines.clear()
    assert lines.drawn.lines == ()


@pytest.mark.parametrize("zoom", [0.5, 4.0])
def test_a_cross_is_as_large_on_the_screen_whatever_the_zoom(model: ViewerModel, zoom: float) -> None:
    lines = Lines(model, "cross", "orange")
    model.scene.camera.zoom = zoom
    lines.draw_cross(np.array([10.0, 5.0]))
    np.testing.assert_allclose(ends(lines).mean(axis=1), [[10, 5], [10, 5]])
    np.testing.assert_allclose(np.hypot(*np.diff(ends(lines), axis=1)[:, 0].T) * zoom, 18)


def test_the_edges_of_a_mask_are_lines_around_its_pixels() -> None:
    mask = np.zeros((4, 5), bool)
    mask[1:3, 1:4] = True
    found = {tuple(line) for line in edges(mask).tolist()}
    assert found == {(0.5, 0.5, 0.5, 3.5), (2.5, 0.5, 2.5, 3.5), (0.5, 0.5, 2.5, 0.5), (0.5, 3.5, 2.5, 3.5)}
    mask[1, 2] = False
    assert len(edges(mask)) == 8
