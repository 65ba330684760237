from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_bonescint.gui.layers.scans import facts_of, scans_to_layers
from napari_bonescint.gui.segment.actions import actions_for
from napari_bonescint.gui.segment.notices import OpenNotice
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import ViewSource

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


@pytest.fixture
def model(scan: Scan) -> ViewerModel:
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    return model


def shown(model: ViewerModel, remedy: Remedy | None, view: str = "", *, views: int = 2) -> OpenNotice:
    images = tuple(layer for layer in model.layers if type(layer) is Image)
    return OpenNotice(images[:views], Notice("Something.", remedy, view))


@pytest.mark.parametrize("remedy", [remedy for remedy in Remedy if remedy is not Remedy.SET_SPACING])
def test_every_remedy_has_a_button(model: ViewerModel, remedy: Remedy) -> None:
    assert actions_for(shown(model, remedy))


def test_what_only_informs_has_no_button(model: ViewerModel) -> None:
    assert actions_for(shown(model, None)) == []


@pytest.mark.parametrize(
    ("remedy", "view", "views", "texts"),
    [
        (Remedy.NAME_VIEW, "", 1, ["It is anterior", "It is posterior"]),
        (Remedy.NAME_VIEW, "posterior", 2, ["The views are right", "Swap the views"]),
        (Remedy.CHANGE_VIEW, "anterior", 2, ["Change it to posterior"]),
        (Remedy.MIRROR, "", 2, ["Mirror the posterior view", "Mirror the anterior view"]),
        (Remedy.INVERT, "posterior", 2, ["Invert the posterior view"]),
    ],
)
def test_buttons_name_the_view(model: ViewerModel, remedy: Remedy, view: str, views: int, texts: list[str]) -> None:
    assert [action.text for action in actions_for(shown(model, remedy, view, views=views))] == texts


def test_the_file_is_overruled_and_that_is_recorded(model: ViewerModel) -> None:
    notice = shown(model, Remedy.CHANGE_VIEW, "anterior")
    actions_for(notice)[0].run(model.layers)
    assert [facts_of(image).view.source for image in notice.images] == [ViewSource.OVERRULED] * 2
    assert [str(facts_of(image).view.name) for image in notice.images] == ["posterior", "anterior"]
