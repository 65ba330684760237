from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL.Image
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.layers._source import layer_source

from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.gui.layers.scans import (
    can_be_scan,
    facts_of,
    group_by_scan,
    layers_to_scan,
    scans_to_layers,
    spacing_of,
    spans_of,
    why_unusable,
)
from napari_bonescint.scan import View, ViewName, ViewSource

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


def images_of(*scans: Scan) -> list[Image]:
    return [Image(data, **attributes) for data, attributes, _ in scans_to_layers(scans)]


def test_views_lie_side_by_side_in_mm(scan: Scan) -> None:
    anterior, posterior = images_of(scan)
    assert (anterior.name, posterior.name) == ("scan anterior", "scan posterior")
    assert str(anterior.units[0]) == "millimeter"
    assert anterior.axis_labels == ("y", "x")
    np.testing.assert_allclose(anterior.scale, (4.5, 4.4))
    right_edge = anterior.translate[1] + scan.counts.shape[2] * 4.4
    assert right_edge < posterior.translate[1] < 1.5 * right_edge
    assert anterior.colormap.name == "gray_r"


def test_a_posterior_view_alone_leaves_room_for_the_anterior_one(scan: Scan) -> None:
    alone = replace(scan, counts=scan.counts[1:], views=scan.views[1:])
    assert images_of(alone)[0].translate[1] == images_of(scan)[1].translate[1]


def test_two_scans_do_not_lie_over_each_other(scan: Scan) -> None:
    first, second = images_of(scan)[1], images_of(scan, scan)[2]
    assert second.translate[1] >= first.translate[1] + scan.counts.shape[2] * 4.4


def test_without_spacing_layers_are_in_pixels(scan: Scan) -> None:
    image = images_of(replace(scan, spacing=None))[0]
    assert str(image.units[0]) == "pixel"
    assert spacing_of(image) is None


def test_layers_are_named_after_the_title_and_hold_no_path(scan: Scan) -> None:
    named = replace(scan, sources=(Path("x") / "DOE_JANE.dcm",))
    layers = [attributes for _, attributes, _ in scans_to_layers([named], titles=["scan 1"])]
    assert [each["name"] for each in layers] == ["scan 1 anterior", "scan 1 posterior"]
    assert {each["metadata"]["bonescint"].title for each in layers} == {"scan 1"}
    assert "DOE" not in repr(layers)


def test_layers_give_back_the_scan_they_came_from(scan: Scan) -> None:
    anterior, posterior = images_of(scan)
    (group,) = group_by_scan([posterior, anterior])
    back = layers_to_scan(group)
    np.testing.assert_array_equal(back.counts, scan.counts)
    assert back.counts.dtype == scan.counts.dtype
    assert back.views == scan.views
    assert back.spacing == pytest.approx(scan.spacing)


def test_views_of_different_scans_are_segmented_apart(scan: Scan) -> None:
    one, other = images_of(scan), images_of(replace(scan))
    assert [len(group) for group in group_by_scan([*one, *other])] == [2, 2]
    assert [len(group) for group in group_by_scan([one[0], other[1]])] == [1, 1]


def test_an_image_of_another_reader_is_an_assumed_anterior_view_with_its_own_scale() -> None:
    image = Image(np.ones((30, 20)), scale=(0.2, 0.2), units=("cm", "cm"))
    assert facts_of(image).view == View(ViewName.ANTERIOR, ViewSource.ASSUMED)
    assert spacing_of(image) == pytest.approx((2.0, 2.0))


class LazyImage:
    """An array that must not be computed."""

    ndim, dtype = 2, np.dtype(np.uint16)

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __getitem__(self, key: object) -> np.ndarray:
        return np.ones((4, 4), np.uint16)  # napari looks at a corner

    def __array__(self, *_arguments: object, **_options: object) -> np.ndarray:
        raise AssertionError("was computed")


def test_a_lazy_image_is_computed_to_segment_it_and_not_before() -> None:
    options = {"contrast_limits": (0, 1), "multiscale": False}
    image = Image(LazyImage(40, 20), **options)
    assert facts_of(image).scan.counts.shape == (1, 40, 20)
    assert len(group_by_scan([image])) == 1
    with pytest.raises(AssertionError, match="was computed"):
        layers_to_scan([image])
    with pytest.raises(Refusal, match="larger than any"):
        layers_to_scan([Image(LazyImage(40, 90_000), **options)])


def test_a_dark_on_white_picture_is_warned_of() -> None:
    picture = np.zeros((40, 30), np.uint8)
    picture[10:30, 10:20] = 200
    assert layers_to_scan([Image(picture)]).warnings == ()
    (warning,) = layers_to_scan([Image(255 - picture, name="export")]).warnings
    assert warning.startswith("export: The background is brighter than the body")


def test_a_scan_of_our_reader_is_warned_of_by_the_reader_alone(scan: Scan) -> None:
    inverted = replace(scan, counts=scan.counts.max() - scan.counts, source_sha256="0" * 64, warnings=("shown",))
    assert layers_to_scan(images_of(inverted)).warnings == ()


def test_only_plain_grey_images_can_be_scans() -> None:
    assert can_be_scan(Image(np.ones((30, 20))))
    assert not can_be_scan(Image(np.ones((30, 20, 3)), rgb=True))
    assert not can_be_scan(Image(np.ones((4, 30, 20))))
    assert not can_be_scan(Labels(np.ones((30, 20), int)))


def test_pixels_that_are_no_counts_are_refused_by_the_layers_name() -> None:
    negative = Image(np.linspace(-5, 5, 600).reshape(30, 20), name="photo")
    with pytest.raises(Refusal, match=r"photo.*negative"):
        layers_to_scan([negative])


def test_the_span_of_a_mirrored_image_is_where_it_is_seen(scan: Scan) -> None:
    anterior, _ = images_of(scan)
    anterior.affine = np.diag([1.0, -1, 1])
    width = anterior.data.shape[1] * anterior.scale[1]
    assert spans_of([anterior]) == [pytest.approx((-width, 0))]


def test_turned_views_are_still_one_scan(scan: Scan) -> None:
    model = ViewerModel()
    for data in scans_to_layers([scan]):
        model._add_layer_from_data(*data)
    anterior, posterior = model.layers
    anterior.rotate, posterior.rotate = 33.3, 10
    assert group_by_scan([anterior, posterior]) == [(anterior, posterior)]
    assert layers_to_scan([anterior, posterior]).spacing == pytest.approx(scan.spacing)


@pytest.mark.parametrize("name", ["p.png", "p.tif", "P.TIFF"])
def test_a_picture_whose_orientation_napari_leaves_out_is_no_scan(tmp_path: Path, name: str) -> None:
    picture = PIL.Image.fromarray(np.ones((40, 30), np.uint8))
    reasons = {}
    for orientation in (1, 2, 6):
        exif = PIL.Image.Exif()
        exif[274] = orientation
        path = tmp_path / f"{orientation}{name}"
        picture.save(path, exif=exif)
        for reader in ("napari", "napari-bonescint"):
            with layer_source(path=str(path), reader_plugin=reader):
                reasons[orientation, reader] = why_unusable(Image(np.asarray(picture)))
    assert {case for case, reason in reasons.items() if reason} == {(2, "napari"), (6, "napari")}
    assert "stored turned or mirrored (orientation 6), which napari's own reader ignores" in str(reasons[6, "napari"])
