"""Pictures that napari's own reader opens: told by their source, and laid beside what is open."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.layers._source import layer_source

from napari_bonescint.gui.layers.pictures import adopt, is_picture, place_beside
from napari_bonescint.gui.layers.scans import facts_of
from napari_bonescint.scan import ViewSource


def picture(path: str | None = "bone.png", reader: str | None = "napari", shape: tuple[int, ...] = (40, 20)) -> Image:
    with layer_source(path=path, reader_plugin=reader):
        return Image(np.ones(shape, np.uint8), name="bone")


def test_only_grey_pictures_of_other_readers_are_taken() -> None:
    assert is_picture(picture())
    assert is_picture(picture("BONE.TIFF"))
    assert not is_picture(picture(None, None))  # of a script
    assert not is_picture(picture("bone.mrc"))
    assert not is_picture(picture(reader="napari-bonescint"))
    assert not is_picture(picture(shape=(5, 40, 20)))
    assert not is_picture(picture(shape=(40, 20, 3)))
    assert not is_picture(Labels(np.ones((40, 20), int)))


def test_a_picture_is_recorded_as_the_scan_that_it_was_taken_for() -> None:
    image = picture()
    before = facts_of(image)
    adopt(image)
    facts = facts_of(image)
    assert facts is facts_of(image)
    assert (facts.view, facts.title) == (before.view, "bone")
    assert facts.view.source is ViewSource.ASSUMED
    assert not is_picture(image)
    assert adopt(image) is facts


def test_pictures_lie_side_by_side() -> None:
    model = ViewerModel()
    for _ in range(3):
        image = model.add_layer(picture())
        place_beside(model.layers, image)
        adopt(image)
    places = [float(image.translate[1]) for image in model.layers]
    assert places == pytest.approx([0, 23, 46])


@pytest.mark.parametrize("how", [{"translate": (0, 5)}, {"rotate": 10}, {"affine": np.diag([1, -1, 1])}])
def test_a_picture_that_the_user_placed_stays(how: dict[str, object]) -> None:
    model = ViewerModel()
    adopt(model.add_layer(picture()))
    image = model.add_layer(picture())
    for name, value in how.items():
        setattr(image, name, value)
    place = image.data_to_world((3, 4))
    assert not place_beside(model.layers, image)
    assert image.data_to_world((3, 4)) == pytest.approx(place)


def test_a_picture_with_labels_of_the_user_stays() -> None:
    model = ViewerModel()
    adopt(model.add_layer(picture()))
    image = model.add_layer(picture())
    model.add_labels(np.zeros((40, 20), np.uint8))
    assert not place_beside(model.layers, image)
