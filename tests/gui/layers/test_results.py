from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari.layers import Image

from gui.correct.correcting_panel import prediction_of
from napari_bonescint.gui.layers.results import note_result, result_of

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


def test_the_last_result_of_a_scan_is_known_until_a_view_changes(scan: Scan) -> None:
    images = [Image(view) for view in scan.counts]
    assert result_of(images) is None
    first, second = prediction_of(scan, 0.9), prediction_of(scan, 0.8)
    note_result(images, first)
    note_result(images, second)
    assert result_of(images) is second
    assert result_of(images[::-1]) is None
    assert result_of(images[:1]) is None
    note_result(images[:1], replace(first, skeleton=first.skeleton[:1]))
    assert result_of(images) is None
    note_result(images, second)
    images[1].data = images[1].data[:, ::-1]
    assert result_of(images) is None
