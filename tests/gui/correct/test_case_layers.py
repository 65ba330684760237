"""One case after the other in the same layers, each where it belongs and with the letters of its sides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_bonescint.corrections.opening import OpenedCase
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.display import contrast_limits
from napari_bonescint.gui.correct.case_layers import CaseLayers
from napari_bonescint.gui.layers.labels import is_edited
from napari_bonescint.gui.layers.marks import marks_of
from napari_bonescint.gui.layers.scans import facts_of, layers_to_scan, scans_to_layers, spacing_of
from napari_bonescint.gui.segment.view_edits import ViewEditError, flip, set_spacing, set_view
from napari_bonescint.scan import Scan, View, ViewName, ViewSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image

ASSUMED = tuple(View(name, ViewSource.ASSUMED) for name in ViewName)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def shown(viewer: ViewerModel) -> CaseLayers:
    return CaseLayers(viewer)


def case_of(scan: Scan, seed: int, *, names_regions: bool = True) -> OpenedCase:
    rng = np.random.default_rng(seed)
    scan = replace(scan, counts=rng.poisson(9, scan.counts.shape).astype(scan.counts.dtype))
    regions = rng.integers(0, 17 if names_regions else 2, scan.counts.shape, np.uint8)
    windows = tuple(contrast_limits(counts) for counts in scan.counts)
    return OpenedCase(f"{seed}", scan, windows, (), None, regions, names_regions, Origin.empty(), None, title="scan")


def assert_shows(shown: CaseLayers, case: OpenedCase) -> None:
    seen = layers_to_scan(shown.images)
    np.testing.assert_array_equal(seen.counts, case.scan.counts)
    assert (seen.views, seen.spacing) == (case.scan.views, case.scan.spacing)
    for labels, image, plane in zip(shown.labels, shown.images, case.regions, strict=True):
        np.testing.assert_array_equal(labels.data, plane)
        assert spacing_of(labels) == case.scan.spacing
        np.testing.assert_array_equal(labels.translate, image.translate)
        assert not is_edited(labels)
        assert not labels._undo_history
        assert len(labels.features) == (17 if case.names_regions else 2)
    for image, view in zip(shown.images, case.scan.views, strict=True):
        marks = marks_of(image)
        assert marks is not None
        assert marks.letters == (("R", "L") if view.name is ViewName.ANTERIOR else ("L", "R"))
        assert marks.view.rstrip("?") == view.name


def test_a_case_moves_into_the_layers_of_the_one_before(viewer: ViewerModel, shown: CaseLayers, scan: Scan) -> None:
    first = case_of(scan, 1)
    kept = first.scan.counts.copy()
    shown.show(first)
    assert viewer.canvas.overlays.scale_bar.visible
    layers = list(viewer.layers)
    assert viewer.layers.selection.active is shown.labels[0]
    shown.labels[0].data_setitem((np.array([3]), np.array([4])), 16)
    others = (
        case_of(replace(scan, views=ASSUMED), 2),
        case_of(replace(scan, spacing=(2.0, 7.0)), 3, names_regions=False),
        case_of(replace(scan, counts=scan.counts[:, :90, :60].astype(np.float32), spacing=None), 4),
        first,
    )
    for case in others:
        shown.show(case)
        assert list(viewer.layers) == layers
        assert_shows(shown, case)
    np.testing.assert_array_equal(first.scan.counts, kept)


@pytest.mark.parametrize("name", ViewName)
def test_a_case_of_one_view_has_layers_of_its_own(
    viewer: ViewerModel, shown: CaseLayers, scan: Scan, name: ViewName
) -> None:
    shown.show(case_of(scan, 1))
    single = case_of(replace(scan, counts=scan.counts[:1], views=(View(name, flipped=True),)), 2)
    shown.show(single)
    assert [layer.name for layer in viewer.layers] == [f"scan {name}", f"scan {name} bones"]
    assert_shows(shown, single)
    shown.show(case_of(scan, 3))
    assert len(viewer.layers) == 4


@pytest.mark.parametrize("removed", range(4))
def test_layers_that_the_user_removed_do_not_stop_the_next_case(
    viewer: ViewerModel, shown: CaseLayers, scan: Scan, removed: int
) -> None:
    shown.show(case_of(scan, 1))
    viewer.layers.pop(removed)
    case = case_of(scan, 2)
    shown.show(case)
    assert_shows(shown, case)
    assert len(viewer.layers) == 4
    shown.clear()
    assert list(viewer.layers) == []


def test_layers_of_others_stay_and_are_not_covered(viewer: ViewerModel, shown: CaseLayers, scan: Scan) -> None:
    mine = [viewer._add_layer_from_data(*data)[0] for data in scans_to_layers([scan])]
    right_edge = mine[-1].translate[1] + scan.counts.shape[2] * 4.4
    shown.show(case_of(scan, 1))
    assert shown.images[0].translate[1] >= right_edge
    shown.clear()
    shown.clear()
    assert list(viewer.layers) == mine
    assert (shown.images, shown.labels) == ([], [])


def _as_posterior(viewer: ViewerModel, image: Image) -> None:
    set_view(viewer.layers, image, ViewName.POSTERIOR)


def _larger(viewer: ViewerModel, image: Image) -> None:
    set_spacing(viewer.layers, image, 9.0)


@pytest.mark.parametrize("edit", [_as_posterior, _larger])
@pytest.mark.parametrize("spacing", [None, (4.5, 4.4)])
def test_what_the_user_said_of_one_case_is_not_said_of_the_next(
    viewer: ViewerModel,
    shown: CaseLayers,
    scan: Scan,
    edit: Callable[[ViewerModel, Image], None],
    spacing: tuple[float, float] | None,
) -> None:
    scan = replace(scan, views=ASSUMED, spacing=spacing)
    empty = case_of(scan, 1)
    shown.show(replace(empty, regions=np.zeros_like(empty.regions)))
    edit(viewer, shown.images[0])
    case = case_of(scan, 2)
    shown.show(case)
    assert_shows(shown, case)
    assert [image.name for image in shown.images] == ["scan anterior", "scan posterior"]
    assert [facts_of(image).view for image in shown.images] == list(ASSUMED)


def test_a_case_is_not_mirrored_under_the_mask_that_is_saved_with_it(
    viewer: ViewerModel, shown: CaseLayers, scan: Scan
) -> None:
    blank = case_of(scan, 1)
    blank = replace(blank, regions=np.zeros_like(blank.regions))
    for case in (blank, blank):
        shown.show(case)
        with pytest.raises(ViewEditError, match=r"^scan anterior: the label store keeps this view"):
            flip(viewer.layers, shown.images[0])
        assert_shows(shown, case)
    # Without them, nothing more is drawn for the case, and what follows is put back as it was.
    viewer.layers.remove(shown.labels[0])
    flip(viewer.layers, shown.images[0])
    shown.show(blank)
    assert_shows(shown, blank)


def test_the_next_case_lies_straight_although_the_user_turned_the_one_before(shown: CaseLayers, scan: Scan) -> None:
    shown.show(case_of(scan, 1))
    places = [tuple(image.data_to_world((3, 4))) for image in shown.images]
    shown.images[0].rotate = 30
    shown.images[1].affine = [[1, 0, 50], [0, 2, 0], [0, 0, 1]]
    shown.show(case_of(scan, 2))
    for layers in (shown.images, shown.labels):
        np.testing.assert_allclose([layer.data_to_world((3, 4)) for layer in layers], places)
    assert_shows(shown, case_of(scan, 2))


def test_the_layers_take_the_title_of_the_case(viewer: ViewerModel, shown: CaseLayers, scan: Scan) -> None:
    for title in ("patient 7", "bone (2)"):
        shown.show(replace(case_of(scan, 1), title=title))
        names = [f"{title} {view}{rest}" for rest in ("", " bones") for view in ViewName]
        assert [layer.name for layer in viewer.layers] == names
        assert {marks_of(image).title for image in shown.images} == {title}
