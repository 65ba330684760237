"""A mask that lies otherwise than its scan is told by how it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.mask_checks import doubts_about_mask
from napari_bonescint.scan import View, ViewName
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from numpy.typing import NDArray

VIEWS = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR))


def body(lean: int = 4) -> NDArray[np.uint8]:
    """A head, a spine and two legs, one of them longer, in two views, of which one has a sternum."""
    anterior = np.zeros((160, 80), np.uint8)
    anterior[8:28, 32 + lean : 48 + lean] = 1
    anterior[30:90, 37:43] = 3
    anterior[92:105, 25:55] = 13
    anterior[105:150, 26:34], anterior[105:140, 46:54] = 14, 14
    posterior = anterior[:, ::-1].copy()
    anterior[40:60, 36:44] = 7
    return np.stack([anterior, posterior])


def seen_in(truth: NDArray[np.uint8], *, names_regions: bool = True) -> Segmentation:
    """What a model sees that is wrong by a pixel here and there."""
    regions = np.roll(truth, 1, axis=1)
    skeleton = (regions > 0).astype(np.uint8)
    return Segmentation(
        skeleton,
        regions if names_regions else None,
        skeleton.astype(np.float32),
        "tiny",
        "ab" * 32,
        "cpu",
        "CPU: test",
        "torch",
        0.1,
    )


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("seen_named", [True, False])
def test_a_mask_that_lies_as_its_scan_is_not_doubted(named: bool, seen_named: bool) -> None:
    mask = body() if named else (body() > 0).astype(np.uint8)
    assert doubts_about_mask(VIEWS, mask, seen_in(body(), names_regions=seen_named), names_regions=named) == []


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda mask: mask[:, ::-1], ["is upside down in the anterior view", "is upside down in the posterior view"]),
        (
            lambda mask: mask[:, :, ::-1],
            ["is mirrored left to right in the anterior", "is mirrored left to right in the"],
        ),
        (lambda mask: np.stack([mask[0], mask[1, :, ::-1]]), ["is mirrored left to right in the posterior view"]),
        (lambda mask: np.stack([mask[0, ::-1, ::-1], mask[1]]), ["is turned by half a turn in the anterior view"]),
        (
            lambda mask: np.roll(mask, 25, 2),
            ["agrees little with the mask of the model tiny in the anterior view (Dice 0."] * 2,
        ),
    ],
)
def test_a_mask_that_was_turned_over_is_told(change, said: list[str], named: bool) -> None:
    mask = change(body())
    mask = mask if named else (mask > 0).astype(np.uint8)
    told = doubts_about_mask(VIEWS, mask, seen_in(body()), names_regions=named)
    assert len(told) == len(said)
    for sentence, start in zip(told, said, strict=True):
        assert start.removesuffix("anterior view (Dice 0.") in sentence


@pytest.mark.parametrize("mirrored", [False, True])
def test_swapped_views_are_told(mirrored: bool) -> None:
    mask = body()[::-1]
    mask = mask[:, :, ::-1] if mirrored else mask
    assert doubts_about_mask(VIEWS, mask, seen_in(body()), names_regions=True) == ["has the views swapped, as it seems"]


def test_a_single_view_is_compared_as_well() -> None:
    told = doubts_about_mask(VIEWS[:1], body()[:1, ::-1], seen_in(body()[:1]), names_regions=True)
    assert told == ["is upside down in the anterior view, as it seems"]
