from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.segment.notices import NoticeBook
from napari_bonescint.gui.segment.view_edits import confirm_views, invert, set_spacing, set_view
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import NO_SPACING, SAME_VIEW, VIEW_ASSUMED, VIEWS_ASSUMED, View, ViewName, ViewSource

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan

ASSUMED = (View(ViewName.ANTERIOR, ViewSource.ASSUMED), View(ViewName.POSTERIOR, ViewSource.ASSUMED))
INVERTED = Notice("It is meant to be shown inverted.", Remedy.INVERT)


@pytest.fixture
def model(scan: Scan) -> ViewerModel:
    """A scan about which its file leaves everything open."""
    model = ViewerModel()
    warnings = (VIEWS_ASSUMED, NO_SPACING, INVERTED, "Rescale tags were ignored.")
    for data in scans_to_layers([replace(scan, views=ASSUMED, spacing=None, warnings=warnings)]):
        model._add_layer_from_data(*data)
    return model


def images_in(model: ViewerModel) -> list[Image]:
    return [layer for layer in model.layers if type(layer) is Image]


def texts(book: NoticeBook, model: ViewerModel) -> list[str]:
    return [str(each.notice) for each in book.open_in(model.layers)]


def test_notices_go_as_they_are_solved_or_closed(model: ViewerModel) -> None:
    book = NoticeBook()
    first = images_in(model)[0]
    told = "Rescale tags were ignored."
    assert texts(book, model) == [VIEWS_ASSUMED, NO_SPACING, INVERTED, told]
    assert book.open_in(model.layers)[0].images == tuple(images_in(model))
    confirm_views(model.layers, first)
    assert texts(book, model) == [NO_SPACING, INVERTED, told]
    set_spacing(model.layers, first, 2.5)
    assert texts(book, model) == [INVERTED, told]
    invert(model.layers, first)
    assert texts(book, model) == [told, "You inverted the anterior view."]
    for each in book.open_in(model.layers):
        book.close(each)
    assert texts(book, model) == []


def test_notices_of_a_result_stay_until_the_next_result_or_an_edit(model: ViewerModel) -> None:
    book = NoticeBook()
    images = images_in(model)
    mirror, odd = Notice("The views are not mirror images.", Remedy.MIRROR), "It shows only a part of the body."
    book.keep_result(images, [mirror, odd])
    assert texts(book, model)[-2:] == [mirror, odd]
    book.close(book.open_in(model.layers)[-1])
    assert odd not in texts(book, model)
    book.keep_result(images, [mirror, odd])
    assert texts(book, model)[-2:] == [mirror, odd], "said again about a new result"
    over = [Notice(f"The {name} view looks upside down.", Remedy.TURN_OVER, name) for name in ViewName]
    book.keep_result(images, [mirror, *over, odd])
    book.note_edit(images, ViewName.ANTERIOR)
    assert texts(book, model)[-2:] == [over[1], odd], "the other view may still be upside down"
    book.note_edit(images)
    assert over[1] not in texts(book, model)
    assert odd in texts(book, model)
    book.keep_result(images, [])
    assert odd not in texts(book, model)


def test_notices_are_told_by_scan(model: ViewerModel, scan: Scan) -> None:
    study = replace(scan, counts=scan.counts[:1], views=scan.views[:1], study="one")
    for data in scans_to_layers([study, replace(study)], [(0.0, 1000.0)]):
        model._add_layer_from_data(*data)
    book = NoticeBook()
    *_, first, second = images_in(model)
    same = [each.images for each in book.open_in(model.layers) if each.notice == SAME_VIEW]
    assert same == [(first,), (second,)]
    set_view(model.layers, first, ViewName.ANTERIOR)
    set_view(model.layers, second, ViewName.POSTERIOR)
    assert SAME_VIEW not in texts(book, model)


def test_an_image_of_another_reader_is_asked_about_too() -> None:
    model = ViewerModel()
    model.add_image(np.ones((40, 20)), name="photo")
    model.add_image(np.ones((40, 20, 3), np.uint8), name="colours", rgb=True)
    found = NoticeBook().open_in(model.layers)
    assert [each.notice.remedy for each in found] == [Remedy.NAME_VIEW, Remedy.SET_SPACING, Remedy.TAKE_GREY]
    assert found[0].notice == VIEW_ASSUMED
    assert found[2].notice.startswith("colours cannot be segmented: it is stored in colour")
