from __future__ import annotations

import numpy as np

from napari_bonescint.gui.layers.drawing import strips


def test_a_line_is_a_strip_of_its_width_that_reaches_beyond_both_ends() -> None:
    vertices, triangles = strips(np.array([[2.0, 1.0, 2.0, 11.0], [5.0, 5.0, 5.0, 5.0]]), 4.0)
    # From x = 1 to 11 at y = 2, as (x, y).
    assert {tuple(vertex) for vertex in vertices[:4].tolist()} == {(-1, 0), (-1, 4), (13, 0), (13, 4)}
    assert np.isfinite(vertices).all()
    assert triangles.shape == (4, 3)
    assert {tuple(sorted(set(vertices[triangle, 0]))) for triangle in triangles if (triangle < 4).all()} == {(-1, 13)}
