"""Masks lie on the views that they were drawn on, in any order, and come back from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.region_mapping import UnmappedLabels
from napari_bonescint.gui.layers.labels import empty_labels
from napari_bonescint.gui.layers.masks import NotOneScan, layers_to_mask, mask_to_layers
from napari_bonescint.gui.layers.scans import scans_to_layers
from napari_bonescint.gui.segment.view_edits import flip, turn
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Sequence

ANTERIOR, POSTERIOR = View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)
MIRRORED = View(ViewName.POSTERIOR, flipped=True)


def opened(*scans: Scan) -> ViewerModel:
    """A viewer into which scans were opened, one after the other."""
    model = ViewerModel()
    for data in scans_to_layers(scans):
        model._add_layer_from_data(*data)
    return model


def images_in(model: ViewerModel) -> list[Image]:
    return [layer for layer in model.layers if isinstance(layer, Image)]


def mask_of(scan: Scan, views: Sequence[View | None], *, names_regions: bool = True) -> Mask:
    """A lopsided mask: which side is which can be told."""
    regions = np.zeros((len(views), *scan.counts.shape[1:]), np.uint8)
    for i, plane in enumerate(regions):
        plane[20:40, 5:20] = 4 + i if names_regions else 1
    return Mask(regions, tuple(views), scan.spacing, names_regions)


def lay(model: ViewerModel, mask: Mask) -> list[Labels]:
    return [model._add_layer_from_data(*data)[0] for data in mask_to_layers(mask, list(model.layers))]


def lies_on(labels: Labels, image: Image) -> bool:
    same = (np.array_equal(getattr(labels, name), getattr(image, name)) for name in ("scale", "translate"))
    return all(same) and (labels.units, labels.axis_labels) == (image.units, image.axis_labels)


@pytest.mark.parametrize("names_regions", [True, False])
@pytest.mark.parametrize("views", [[ANTERIOR], [POSTERIOR], [POSTERIOR, ANTERIOR]])
def test_a_mask_lies_on_its_views_and_comes_back(scan: Scan, views: list[View], *, names_regions: bool) -> None:
    model = opened(scan)
    mask = mask_of(scan, views, names_regions=names_regions)
    labels = lay(model, mask)
    for each, view in zip(labels, views, strict=True):
        assert each.name == f"scan {view.name} {'bones' if names_regions else 'skeleton'}"
        assert lies_on(each, model.layers[f"scan {view.name}"])
    back, images = layers_to_mask(model.layers, labels)
    order = sorted(range(len(views)), key=lambda i: views[i].name)
    assert [image.name for image in images] == [f"scan {views[i].name}" for i in order]
    np.testing.assert_array_equal(back.regions, mask.regions[order])
    assert (back.names_regions, back.scan.spacing) == (names_regions, (4.5, 4.4))
    np.testing.assert_array_equal(back.scan.counts, np.stack([image.data for image in images]))


def test_a_mask_of_a_mirrored_view_is_mirrored_where_the_view_is_not(scan: Scan) -> None:
    model = opened(scan)
    mask = mask_of(scan, [MIRRORED])
    (as_filed,) = lay(model, mask)
    np.testing.assert_array_equal(as_filed.data, mask.regions[0, :, ::-1])
    model.layers.remove(as_filed)
    flip(model.layers, images_in(model)[1])
    (as_drawn,) = lay(model, mask)
    np.testing.assert_array_equal(as_drawn.data, mask.regions[0])
    back, _ = layers_to_mask(model.layers, [as_drawn])
    assert back.scan.views == (MIRRORED,)


def test_a_mask_of_a_turned_view_lies_on_it_and_on_the_scan_as_filed(scan: Scan) -> None:
    views = [replace(view, turned=90) for view in (ANTERIOR, POSTERIOR)]
    mask = mask_of(replace(scan, counts=np.rot90(scan.counts, axes=(1, 2))), views)
    model = opened(scan)
    for each, plane, image in zip(lay(model, mask), mask.regions, images_in(model), strict=True):
        np.testing.assert_array_equal(each.data, np.rot90(plane))
        assert lies_on(each, image)
        model.layers.remove(each)
    turn(model.layers, images_in(model)[0], 90)
    labels = lay(model, mask)
    for each, plane, image in zip(labels, mask.regions, images_in(model), strict=True):
        np.testing.assert_array_equal(each.data, plane)
        assert lies_on(each, image)
    back, _ = layers_to_mask(model.layers, labels)
    assert [view.turned for view in back.scan.views] == [90, 90]
    for alone, plane in zip(lay(ViewerModel(), mask), mask.regions, strict=True):
        np.testing.assert_array_equal(alone.data, np.rot90(plane))


def test_a_mask_that_comes_before_its_scan_lies_as_one_that_comes_after(scan: Scan) -> None:
    mask = mask_of(scan, [ANTERIOR, MIRRORED])
    before = lay(ViewerModel(), mask)
    model = opened(scan)
    for alone, after, image in zip(before, lay(model, mask), images_in(model), strict=True):
        np.testing.assert_array_equal(alone.data, after.data)
        assert lies_on(alone, image)


@pytest.mark.parametrize("views", [[ANTERIOR, POSTERIOR], [None, None], [None]])
def test_of_two_scans_a_mask_lies_on_the_one_opened_last(scan: Scan, views: list[View | None]) -> None:
    model = opened(scan, scan)
    for each, image in zip(lay(model, mask_of(scan, views)), images_in(model)[2:], strict=False):
        assert lies_on(each, image)


def test_a_mask_of_two_views_is_not_torn_between_a_scan_and_a_later_single_view(scan: Scan) -> None:
    single = replace(scan, counts=scan.counts[:1], views=scan.views[:1])
    model = opened(scan, single)
    for each, image in zip(lay(model, mask_of(scan, scan.views)), images_in(model), strict=False):
        assert lies_on(each, image)


def test_a_mask_of_two_views_lies_on_images_opened_from_two_files(scan: Scan) -> None:
    files = [replace(scan, counts=scan.counts[i : i + 1], views=scan.views[i : i + 1]) for i in (1, 0)]
    model = opened(*files)
    labels = lay(model, mask_of(scan, scan.views))
    assert [lies_on(each, model.layers[each.name.removesuffix(" bones")]) for each in labels] == [True, True]
    with pytest.raises(NotOneScan, match="save one scan at a time"):
        layers_to_mask(model.layers, labels)


def test_what_is_not_the_mask_of_one_scan_is_one_sentence(scan: Scan) -> None:
    model = opened(scan)
    anterior, posterior = images_in(model)
    of_anterior, again, of_posterior = (model.add_layer(empty_labels(each)) for each in (anterior, anterior, posterior))
    with pytest.raises(NotOneScan, match=r"are of several scans, or of one view twice; save one scan at a time\.$"):
        layers_to_mask(model.layers, [of_anterior, again])
    bone = model.add_layer(empty_labels(posterior, names_regions=False))
    with pytest.raises(
        NotOneScan, match=r"Only some of the selected labels name regions; save labels with and without names apart\.$"
    ):
        layers_to_mask(model.layers, [of_anterior, bone])
    of_anterior.data_setitem((np.array([1]), np.array([1])), 200)
    with pytest.raises(UnmappedLabels, match=r"^scan anterior bones: .*200"):
        layers_to_mask(model.layers, [of_posterior, of_anterior])


def test_labels_whose_image_the_user_removed_lie_on_no_scan(scan: Scan) -> None:
    model = opened(scan)
    anterior, posterior = images_in(model)
    labels = model.add_layer(empty_labels(posterior))
    model.layers.remove(posterior)
    with pytest.raises(NotOneScan, match=r"^scan posterior bones: lies on no image of a bone scan; open the scan, or"):
        layers_to_mask(model.layers, [labels])
    assert layers_to_mask(model.layers, [model.add_layer(empty_labels(anterior))])[0].scan.views == (ANTERIOR,)


TURNED = {
    "rotate": {"rotate": 30},
    "shear": {"shear": [0.3]},
    "affine": {"affine": np.array([[0, 2.0, 5], [-2.0, 0, 7], [0, 0, 1]])},
}


@pytest.mark.parametrize("how", TURNED)
def test_a_mask_lies_on_an_image_that_the_user_turned(scan: Scan, how: str) -> None:
    model = opened(scan)
    for image in images_in(model):
        for name, value in TURNED[how].items():
            setattr(image, name, value)
    labels = lay(model, mask_of(scan, scan.views))
    for each, image in zip(labels, images_in(model), strict=True):
        np.testing.assert_allclose(each.data_to_world((10, 20)), image.data_to_world((10, 20)))
    back, _ = layers_to_mask(model.layers, labels)
    np.testing.assert_array_equal(back.regions, mask_of(scan, scan.views).regions)
    sides = {"rotate": (4.5, 4.4), "shear": None, "affine": (9.0, 8.8)}[how]
    assert back.scan.spacing == (None if sides is None else pytest.approx(sides))
    assert [w for w in back.scan.warnings if "sheared" in w] == (
        [f"scan {name}: The layer is sheared, so its pixels have no size in mm; set its shear to 0 to get sizes."
         for name in ("anterior", "posterior")] if how == "shear" else []
    )  # fmt: skip


@pytest.mark.parametrize("how", TURNED)
def test_labels_that_the_user_took_off_their_image_are_not_saved(scan: Scan, how: str) -> None:
    model = opened(scan)
    anterior, _ = images_in(model)
    bound, (from_elsewhere,) = model.add_layer(empty_labels(anterior)), lay(model, mask_of(scan, [ANTERIOR]))
    for name, value in TURNED[how].items():
        setattr(bound, name, value)
        setattr(from_elsewhere, name, value)
    with pytest.raises(NotOneScan, match=r"^scan anterior bones: does not lie exactly on scan anterior; give both"):
        layers_to_mask(model.layers, [bound])
    with pytest.raises(NotOneScan, match="lies on no image of a bone scan"):
        layers_to_mask(model.layers, [from_elsewhere])
