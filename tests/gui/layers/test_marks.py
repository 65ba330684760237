from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_bonescint.gui.layers.marks import ViewMarks, marks_of, places_beside, put_marks, shortened, shortened_view
from napari_bonescint.gui.placement import corners


def test_new_marks_take_the_place_of_the_old_ones() -> None:
    image = Image(np.ones((40, 20)))
    assert marks_of(image) is None
    for title in ("first", "second"):
        put_marks(image, ViewMarks(title=title, view="anterior", letters=("R", "L")))
        marks = marks_of(image)
        assert marks is not None
        assert (marks.title, marks.visible) == (title, True)


@pytest.mark.parametrize(
    ("rotate", "scale", "left", "right", "below"),
    [
        (0, (1, 1), (0, 8), (0, 92), (False, False)),
        (180, (1, 1), (0, 92), (0, 8), (False, False)),
        (0, (1, -1), (0, 92), (0, 8), (False, False)),
        (0, (-1, 1), (0, 8), (0, 92), (False, False)),
        (90, (1, 1), (100, 16), (0, 16), (True, False)),
        (-90, (1, 1), (0, 16), (100, 16), (False, True)),
    ],
)
def test_marks_lie_beside_an_image_at_the_sides_they_name(
    rotate: float,
    scale: tuple[float, float],
    left: tuple[float, float],
    right: tuple[float, float],
    below: tuple[bool, bool],
) -> None:
    image = Image(np.ones((200, 100)), rotate=rotate, scale=scale)
    box = corners(image)
    places = places_beside(box)
    top, start = box.min(axis=0)
    np.testing.assert_allclose(np.array(places.letters) - (top, start), [left, right], atol=1e-9)
    assert places.below == below
    assert places.width == pytest.approx(200 if rotate in (90, -90) else 100)
    np.testing.assert_allclose(places.caption, (top, start + places.width / 2))


@pytest.mark.parametrize(
    ("characters", "shown"),
    [(14, "bone_scan_2024"), (13, "bone_s…n_2024"), (8, "bone…024"), (6, "bon…24"), (5, ""), (0, "")],
)
def test_a_caption_keeps_beginning_and_end(characters: int, shown: str) -> None:
    assert shortened("bone_scan_2024", characters) == shown
    assert len(shown) <= characters


def test_a_view_has_a_short_name() -> None:
    assert [shortened_view(view, 6) for view in ("anterior", "posterior", "anterior?")] == ["ant.", "post.", "ant.?"]
    assert shortened_view("posterior", 4) == ""
