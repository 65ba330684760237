"""Planes of masks are laid on a scan's views: in their order, as they are shown, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from napari_bonescint.formats.masks.mask import Mask, MaskDoesNotFit, lay_on
from napari_bonescint.scan import Scan, View, ViewName, ViewSource

ANTERIOR, POSTERIOR = View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)
MIRRORED = View(ViewName.POSTERIOR, ViewSource.USER, flipped=True)
PLANES = np.random.default_rng(2).integers(0, 17, (2, 41, 23), np.uint8)
NO_BONE = np.zeros((1, 41, 23), np.uint8)


def scan_of(*views: View) -> Scan:
    return Scan(np.ones((len(views), 41, 23)), views, (2.4, 2.2))


def mask_of(*views: View | None, planes: np.ndarray = PLANES, names_regions: bool = True) -> Mask:
    return Mask(planes[: len(views)], views, (9.0, 9.0), names_regions)


@pytest.mark.parametrize(
    "masks",
    [
        [mask_of(ANTERIOR, POSTERIOR)],
        [mask_of(POSTERIOR, ANTERIOR, planes=PLANES[::-1])],
        [mask_of(POSTERIOR, planes=PLANES[1:]), mask_of(ANTERIOR)],
        [mask_of(None, None)],
        [mask_of(None), mask_of(None, planes=PLANES[1:])],
    ],
)
def test_planes_go_where_they_say_or_by_their_order(masks: list[Mask]) -> None:
    scan = scan_of(ANTERIOR, POSTERIOR)
    laid = lay_on(scan, masks)
    np.testing.assert_array_equal(laid.regions, PLANES)
    assert (laid.views, laid.spacing, laid.names_regions) == (scan.views, scan.spacing, True)


@pytest.mark.parametrize(("said", "shown"), [(POSTERIOR, MIRRORED), (MIRRORED, POSTERIOR)])
def test_a_plane_is_mirrored_where_only_one_of_mask_and_scan_is(said: View, shown: View) -> None:
    np.testing.assert_array_equal(lay_on(scan_of(shown), [mask_of(said)]).regions, PLANES[:1, :, ::-1])
    np.testing.assert_array_equal(lay_on(scan_of(said), [mask_of(said)]).regions, PLANES[:1])


def test_a_plane_that_says_nothing_lies_on_what_is_shown() -> None:
    np.testing.assert_array_equal(lay_on(scan_of(MIRRORED), [mask_of(None)]).regions, PLANES[:1])


@pytest.mark.parametrize("names_regions", [True, False])
def test_a_plane_without_bone_goes_with_either_kind(names_regions: bool) -> None:
    filled = mask_of(ANTERIOR, planes=PLANES % 2, names_regions=names_regions)
    empty = mask_of(POSTERIOR, planes=NO_BONE, names_regions=not names_regions)
    for masks in ([filled, empty], [empty, filled]):
        laid = lay_on(scan_of(ANTERIOR, POSTERIOR), masks)
        np.testing.assert_array_equal(laid.regions, np.concatenate([filled.regions, NO_BONE]))
        assert laid.names_regions is names_regions


DO_NOT_FIT = {
    "The mask has 41 x 23 pixels and the scan 23 x 41; a mask must have the scan's own pixels.": [
        mask_of(ANTERIOR, POSTERIOR, planes=PLANES.transpose(0, 2, 1))
    ],
    "One mask names regions and the other does not; give two masks of one kind.": [
        mask_of(ANTERIOR),
        mask_of(POSTERIOR, planes=PLANES % 2, names_regions=False),
    ],
    "The masks have 1 plane without view names; the scan has the views anterior, posterior.": [mask_of(None)],
    "The masks have 0 planes without view names; the scan has the views anterior, posterior.": [],
    "The masks show anterior; the scan needs one mask for each of anterior, posterior.": [mask_of(ANTERIOR)],
    "The masks show anterior, anterior; the scan needs one mask for each of anterior, posterior.": [
        mask_of(ANTERIOR),
        mask_of(ANTERIOR),
    ],
    "The masks show anterior, an unnamed one; the scan needs one mask for each of anterior, posterior.": [
        mask_of(ANTERIOR, None)
    ],
}


@pytest.mark.parametrize("sentence", DO_NOT_FIT)
def test_what_does_not_fit_is_one_sentence(sentence: str) -> None:
    with pytest.raises(MaskDoesNotFit) as refused:
        lay_on(scan_of(ANTERIOR, POSTERIOR), DO_NOT_FIT[sentence])
    assert str(refused.value) == sentence


@pytest.mark.parametrize("planes", [PLANES.astype(np.int64), PLANES[0], PLANES[:1]])
def test_a_mask_holds_codes_of_one_plane_a_view(planes: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a mask of"):
        Mask(planes, (ANTERIOR, POSTERIOR), None)
