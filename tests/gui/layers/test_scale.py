from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from napari.components import ViewerModel

from napari_bonescint.gui.layers.scale import ScaleBar
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.layers.viewer_parts import scale_bar_of

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


def add(model: ViewerModel, scan: Scan) -> None:
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)


def test_it_is_shown_while_all_scans_have_a_size(scan: Scan) -> None:
    model = ViewerModel()
    bar = ScaleBar(model)
    bar.update()
    assert not scale_bar_of(model).visible
    add(model, scan)
    bar.update()
    assert scale_bar_of(model).visible
    add(model, replace(scan, spacing=None))
    bar.update()
    assert not scale_bar_of(model).visible
    del model.layers[2:]
    bar.update()
    assert scale_bar_of(model).visible


@pytest.mark.parametrize("shown", [True, False])
def test_the_users_choice_stays(scan: Scan, *, shown: bool) -> None:
    model = ViewerModel()
    bar = ScaleBar(model)
    if shown:
        scale_bar_of(model).visible = True
        add(model, replace(scan, spacing=None))
    else:
        add(model, scan)
        bar.update()
        scale_bar_of(model).visible = False
    bar.update()
    assert scale_bar_of(model).visible is shown
