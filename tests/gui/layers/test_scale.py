from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from napari.components import ViewerModel

from napari_bonescint.gui.layers.scale import ScaleBar
from napari_bonescint.gui.layers.scans import scans_to_layers

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


def add(model: ViewerModel, scan: Scan) -> None:
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)


def test_it_is_shown_while_all_scans_have_a_size(scan: Scan) -> None:
    model = ViewerModel()
    bar = ScaleBar(model)
    bar.update()
    assert not model.canvas.overlays.scale_bar.visible
    add(model, scan)
    bar.update()
    assert model.canvas.overlays.scale_bar.visible
    assert model.canvas.overlays.scale_bar.box
    add(model, replace(scan, spacing=None))
    bar.update()
    assert not model.canvas.overlays.scale_bar.visible
    del model.layers[2:]
    bar.update()
    assert model.canvas.overlays.scale_bar.visible


@pytest.mark.parametrize("shown", [True, False])
def test_the_users_choice_stays(scan: Scan, *, shown: bool) -> None:
    model = ViewerModel()
    bar = ScaleBar(model)
    if shown:
        model.canvas.overlays.scale_bar.visible = True
        add(model, replace(scan, spacing=None))
    else:
        add(model, scan)
        bar.update()
        model.canvas.overlays.scale_bar.visible = False
    bar.update()
    assert model.canvas.overlays.scale_bar.visible is shown
