"""Which layers "Correct this scan" means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_bonescint.corrections.store.records.revision import Origin, OriginKind
from napari_bonescint.gui.correct.opening.scan_layers import (
    NoScanToCorrect,
    origin_of,
    scan_to_correct,
    unedited_masks,
)
from napari_bonescint.gui.layers.labels import empty_labels, set_regions
from napari_bonescint.gui.layers.scans import scans_to_layers

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_bonescint.scan import Scan


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


def open_in(viewer: ViewerModel, scan: Scan) -> list[Image]:
    return [
        viewer._add_layer_from_data(data, attributes, kind)[0] for data, attributes, kind in scans_to_layers([scan])
    ]


def test_every_layer_of_a_scan_leads_to_all_its_views_and_labels(viewer: ViewerModel, scan: Scan) -> None:
    images = (open_in(viewer, scan) + open_in(viewer, scan))[2:]
    labels = viewer.add_layer(empty_labels(images[0]))
    for active in (*images, labels):
        found = scan_to_correct(viewer.layers, active)
        assert found.images == tuple(images)
        assert found.labels == (labels, None)
        assert found.names_regions
        np.testing.assert_array_equal(found.scan.counts, scan.counts)
    with pytest.raises(NoScanToCorrect, match="Select a layer of the scan"):
        scan_to_correct(viewer.layers, None)
    whole = found.with_labels(viewer.layers)
    assert [each in viewer.layers for each in whole] == [True, True]
    assert scan_to_correct(viewer.layers, images[1]).labels == whole


def test_of_several_labels_the_selected_ones_count_then_the_topmost_regions(viewer: ViewerModel, scan: Scan) -> None:
    images = open_in(viewer, scan)
    first, second = (viewer.add_layer(empty_labels(images[0])) for _ in range(2))
    bone = [viewer.add_layer(empty_labels(image, names_regions=False)) for image in images]
    assert scan_to_correct(viewer.layers, images[0]).labels == (second, None)
    assert scan_to_correct(viewer.layers, first).labels == (first, None)
    found = scan_to_correct(viewer.layers, bone[1])
    assert (found.labels, found.names_regions) == (tuple(bone), False)


def test_where_a_mask_comes_from_and_what_of_it_was_edited(viewer: ViewerModel, scan: Scan) -> None:
    images = open_in(viewer, scan)
    labels = [empty_labels(image) for image in images]
    assert origin_of(labels) == Origin.empty()
    set_regions(labels[0], np.full(labels[0].data.shape, 3, np.uint8))
    assert origin_of(labels).kind is OriginKind.IMPORTED
    assert not unedited_masks(labels).any()
    labels[0].metadata["bonescint"] = {"model": "tiny", "model_sha256": "0" * 64}
    assert origin_of(labels) == Origin.of_model("tiny", "0" * 64)
