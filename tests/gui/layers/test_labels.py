from __future__ import annotations

import subprocess
import sys
from copy import copy

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_bonescint.gui.layers.labels import empty_labels, is_edited, labels_of, put_result
from napari_bonescint.segmentation import Segmentation


def segmentation_of(regions: np.ndarray, *, names_regions: bool = True) -> Segmentation:
    masks = regions[np.newaxis].astype(np.uint8)
    return Segmentation(
        skeleton=(masks > 0).astype(np.uint8),
        regions=masks if names_regions else None,
        probability=masks.astype(np.float32),
        model="m",
        model_sha256="0" * 64,
        device="cpu",
        device_reason="CPU",
        backend="torch",
        seconds=1.0,
    )


@pytest.fixture
def image() -> Image:
    return Image(np.ones((30, 20)), name="anterior", scale=(2, 3), translate=(0, 50), units=("mm", "mm"))


@pytest.fixture
def regions() -> np.ndarray:
    regions = np.zeros((30, 20), np.uint8)
    regions[5:25, 8:12] = 4
    return regions


FIRST_LAYER = """
import sys
import numpy as np
from napari.layers import Image
from napari_bonescint.gui.layers.labels import empty_labels, prepare_labels

image = Image(np.ones((30, 20)))
prepare_labels()
before = set(sys.modules)
empty_labels(image)
print(len(set(sys.modules) - before))
"""


def test_the_first_layer_waits_for_no_import_once_it_was_prepared() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_LAYER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0"]


def test_nothing_counts_as_edited_before_a_person_draws(image: Image, regions: np.ndarray) -> None:
    labels = empty_labels(image)
    assert not is_edited(labels)
    put_result(labels, segmentation_of(regions), 0)
    np.testing.assert_array_equal(labels.data, regions)
    assert not is_edited(labels)
    labels.undo()
    assert not is_edited(labels)


@pytest.mark.parametrize("value", [0, 7])
def test_drawn_and_erased_pixels_stay_when_edits_are_kept(image: Image, regions: np.ndarray, value: int) -> None:
    labels = empty_labels(image)
    put_result(labels, segmentation_of(regions), 0)
    labels.data_setitem((np.array([10]), np.array([10])), value)
    assert is_edited(labels)
    put_result(labels, segmentation_of(np.where(regions > 0, 5, 0)), 0, keep_edits=True)
    assert labels.data[10, 10] == value
    assert labels.data[11, 11] == 5
    # They are still edits when the model is run once more.
    assert is_edited(labels)
    put_result(labels, segmentation_of(regions), 0, keep_edits=True)
    assert labels.data[10, 10] == value
    assert labels.data[11, 11] == 4


def test_what_an_undo_took_out_is_no_edit(image: Image, regions: np.ndarray) -> None:
    labels = empty_labels(image)
    put_result(labels, segmentation_of(regions), 0)
    labels.undo()
    labels.data_setitem((np.array([1]), np.array([2])), 7)
    assert is_edited(labels)
    put_result(labels, segmentation_of(regions), 0, keep_edits=True)
    expected = regions.copy()
    expected[1, 2] = 7
    np.testing.assert_array_equal(labels.data, expected)


def test_an_undo_back_to_an_older_result_is_no_edit(image: Image, regions: np.ndarray) -> None:
    labels = empty_labels(image)
    put_result(labels, segmentation_of(regions), 0)
    put_result(labels, segmentation_of(np.where(regions > 0, 5, 0)), 0)
    labels.undo()
    np.testing.assert_array_equal(labels.data, regions)
    assert not is_edited(labels)


def test_names_and_colours_are_those_of_the_kind_of_model(image: Image, regions: np.ndarray) -> None:
    labels = empty_labels(image, names_regions=False)
    put_result(labels, segmentation_of(regions, names_regions=False), 0)
    assert list(labels.features["name"]) == ["background", "bone"]
    assert set(np.unique(labels.data)) == {0, 1}
    assert empty_labels(image).features["name"][4] == "lumbar spine"


def test_regions_and_bone_alone_have_a_layer_each(image: Image) -> None:
    regions, bone = empty_labels(image), empty_labels(image, names_regions=False)
    assert labels_of([regions, bone], image, names_regions=True) is regions
    assert labels_of([regions, bone], image, names_regions=False) is bone
    assert labels_of([regions], image, names_regions=False) is None


def test_labels_belong_to_their_image_and_to_no_other(image: Image) -> None:
    labels = empty_labels(image)
    other = Image(np.ones((30, 20)), name="anterior")
    duplicate = Labels(*copy(labels.as_layer_data_tuple()[:1]), metadata=labels.metadata, name=labels.name)
    assert labels_of([image, duplicate, labels], image) is labels
    assert labels_of([image, duplicate, labels], other) is None
    assert labels_of([image, duplicate], image) is None


def test_labels_lie_where_their_image_lies(image: Image) -> None:
    labels = empty_labels(image)
    np.testing.assert_array_equal(labels.scale, image.scale)
    np.testing.assert_array_equal(labels.translate, image.translate)
    assert labels.units == image.units


def test_labels_go_with_their_image_when_the_user_turns_it(image: Image) -> None:
    before, labels = empty_labels(image), empty_labels(image)
    image.affine = [[0, 2, 5], [-2, 0, 7], [0, 0, 1]]
    image.rotate = 20
    for each in (before, labels, empty_labels(image)):
        np.testing.assert_allclose(each.data_to_world((3, 4)), image.data_to_world((3, 4)))
