from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_bonescint.gui.layers.overlays import Lines, camera_of
from napari_bonescint.gui.layers.scans import can_be_scan


@pytest.fixture
def model() -> ViewerModel:
    model = ViewerModel()
    for name in ("first", "second"):
        model.add_image(np.ones((40, 20)), name=name)
    model.layers.selection = {model.layers["first"]}
    return model


def test_it_comes_without_taking_the_users_selection_and_goes(model: ViewerModel) -> None:
    lines = Lines(model, "stroke", "orange")
    lines.show()
    assert [layer.name for layer in model.layers] == ["first", "second", "stroke"]
    assert model.layers.selection.active is model.layers["first"]
    assert not can_be_scan(lines.layer)
    lines.show()
    assert len(model.layers) == 3
    lines.remove()
    lines.remove()
    assert [layer.name for layer in model.layers] == ["first", "second"]


def test_it_is_put_back_after_the_user_removed_it(model: ViewerModel) -> None:
    lines = Lines(model, "stroke", "orange")
    lines.show()
    model.layers.remove("stroke")
    lines.show()
    assert "stroke" in model.layers


def test_a_path_is_drawn_from_point_to_point_and_cleared(model: ViewerModel) -> None:
    lines = Lines(model, "stroke", "orange")
    lines.show()
    path = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 9.0]])
    lines.draw(path)
    starts, steps = lines.layer.data[:, 0], lines.layer.data[:, 1]
    np.testing.assert_allclose(starts, path[:-1])
    np.testing.assert_allclose(starts + steps, path[1:])
    lines.clear()
    assert len(lines.layer.data) == 0


@pytest.mark.parametrize("zoom", [0.5, 4.0])
def test_a_cross_is_as_large_on_the_screen_whatever_the_zoom(model: ViewerModel, zoom: float) -> None:
    lines = Lines(model, "cross", "orange")
    lines.show()
    camera_of(model).zoom = zoom
    lines.draw_cross(np.array([10.0, 5.0]))
    starts, steps = lines.layer.data[:, 0], lines.layer.data[:, 1]
    np.testing.assert_allclose(starts + steps / 2, [[10, 5], [10, 5]])
    np.testing.assert_allclose(np.hypot(*steps.T) * zoom, 18)
    assert lines.layer.edge_width * zoom == pytest.approx(2.5)
