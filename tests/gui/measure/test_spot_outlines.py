"""Outlines of hot spots lie on the views that are seen, wherever these are moved."""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel

from napari_bonescint.gui.measure.spot_outlines import SpotOutlines


def test_outlines_go_with_their_views_and_are_red_for_suspicious_hot_spots() -> None:
    viewer = ViewerModel()
    views = [viewer.add_image(np.ones((60, 40)), name=name, scale=(2, 2)) for name in "ab"]
    pixels = np.zeros((2, 60, 40), np.uint16)
    pixels[0, 10:14, 20:22], pixels[1, 30:32, 5:9] = 1, 2
    outlines = SpotOutlines(viewer, views)
    outlines.show(pixels, [[1], []])

    def spans() -> list[list[float]]:
        """Top, left, bottom and right of the red and of the blue lines."""
        ends = [np.array(lines.drawn.lines).reshape(-1, 2) for lines in outlines.lines.values()]
        return [[*points.min(axis=0), *points.max(axis=0)] if len(points) else [] for points in ends]

    assert spans() == [[19, 39, 27, 43], [59, 9, 63, 17]]
    assert len(viewer.layers) == 2
    views[1].translate = (100, 0)
    assert spans() == [[19, 39, 27, 43], [159, 9, 163, 17]]
    views[0].visible = False
    assert spans() == [[], [159, 9, 163, 17]]
    views[0].visible = True
    outlines.clear()
    assert spans() == [[], []]
    outlines.show(pixels, [[], []])
    outlines.remove()
    views[0].translate = (5, 5)
    assert spans() == [[], []]
    assert not any(name.endswith("hot spots") for name in viewer.scene.overlays)
