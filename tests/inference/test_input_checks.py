"""Real pictures, real weights: what the shipped default model's results say about what they were made from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pydicom.data
import pytest

import napari_bonescint
from napari_bonescint.formats.masks.label_tiff import read_labels
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.inference.input_checks import input_warnings
from napari_bonescint.inference.model_card import DEFAULT_MODEL
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.segmenter import Segmenter
from napari_bonescint.scan import View, ViewName
from wrong_kinds import KINDS, Subject

if TYPE_CHECKING:
    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(find_model(DEFAULT_MODEL), "cpu")


@pytest.fixture(scope="module")
def sample() -> Subject:
    """The simulated sample that ships."""
    samples = Path(napari_bonescint.__file__).parent / "samples"
    return Subject.from_counts(
        open_scan(samples / "simulated.dcm"), read_labels(samples / "simulated.regions.tif").masks
    )


# What the image or the anatomy makes plain; of other kinds the reason found first depends on the weights.
WORDS = {
    "noise": "bright up to its edges",
    "dark on white": "bright up to its edges",
    "upside down": "looks upside down",
    "sideways": "is wider than long",
    "other view's name": "if so, change the view to",
    "views swapped": "if so, change the view to",
    "side by side": "two bodies side by side",
    "posterior mirrored": "not mirror images",
    "single region": "shows only a part of the body",
}


@pytest.mark.parametrize("kind", KINDS)
def test_input_of_the_wrong_kind_is_warned_of(kind: str, sample: Subject, segmenter: Segmenter) -> None:
    scan = KINDS[kind](sample, np.random.default_rng(3))
    warnings = segmenter.segment(scan).warnings
    assert warnings
    assert all(WORDS.get(kind, "") in warning for warning in warnings)


def test_swapped_views_are_each_said_to_be_the_other(sample: Subject, segmenter: Segmenter) -> None:
    anterior, posterior = segmenter.segment(KINDS["views swapped"](sample, np.random.default_rng(0))).warnings
    assert anterior.startswith("The anterior view looks posterior")
    assert posterior.startswith("The posterior view looks anterior")


def test_bone_scans_are_not_warned_of(sample: Subject, segmenter: Segmenter) -> None:
    path = pydicom.data.get_testdata_file("JPEG-LL.dcm", download=False)
    nm1 = open_scan(Path(str(path)), view=ViewName.ANTERIOR)
    assert segmenter.segment(replace(nm1, spacing=nm1.spacing or (2.26, 2.26))).warnings == ()
    assert segmenter.segment(sample.scan).warnings == ()


def test_without_regions_the_image_and_the_certainty_speak() -> None:
    body = np.zeros((200, 60), np.float32)
    body[20:180, 15:45] = 0.5
    body[25:175, 28:32] = 1.0
    sure = np.float32(body == 1)

    def doubts(image: NDArray[np.float32], probability: NDArray[np.float32]) -> list[str]:
        return input_warnings([View(ViewName.POSTERIOR)], image[None], probability[None], None, (4.0, 4.0))

    assert doubts(body, sure) == []
    for doubted, words in (
        (doubts(body.T, sure.T), "wider than long"),
        (doubts(body, 0.6 * sure), "uncertain almost everywhere"),
        (doubts(np.minimum(body, 0.5), sure), "hardly brighter than the rest"),
        (doubts(1 - body, sure), "bright up to its edges"),
    ):
        (sentence,) = doubted
        assert sentence.startswith("The posterior view ")
        assert words in sentence
