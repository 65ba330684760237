from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Image

from napari_bonescint.gui.layers.marks import ViewMarks, marks_of, put_marks, shortened, shortened_view


def test_new_marks_take_the_place_of_the_old_ones() -> None:
    image = Image(np.ones((40, 20)))
    assert marks_of(image) is None
    for title in ("first", "second"):
        put_marks(image, ViewMarks(title=title, view="anterior", letters=("R", "L"), size=(40, 20)))
        marks = marks_of(image)
        assert marks is not None
        assert (marks.title, marks.visible) == (title, True)


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
