from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.body import Body, wrap
from napari_bonescint.simulation.camera import Camera, draw_camera

CAMERA = Camera((200, 100), 2.0, left_mm=-100, top_mm=400)
POINT = np.array([[10.0, 0.0, 200.0]], np.float32)


@pytest.fixture(scope="module")
def body() -> Body:
    rng = np.random.default_rng(0)
    angle, z = rng.uniform(0, 2 * np.pi, 20_000), rng.uniform(0, 400, 20_000)
    rod = np.stack([20 * np.cos(angle), 20 * np.sin(angle), z], axis=1).astype(np.float32)
    return wrap(rod, np.full(20_000, CODES["femur"], np.uint8), np.ones(20_000, bool), 0.0)


def test_splat_keeps_weight_and_place() -> None:
    image = CAMERA.project_points(POINT, np.array([3.0], np.float32), np.array([1]), 2)
    assert image.shape == (2, 200, 100)
    assert image.sum() == pytest.approx(3)
    rows, columns = np.indices(image[1].shape)
    assert (image[1] * columns).sum() / 3 == pytest.approx((10 + 100) / 2 - 0.5)
    assert (image[1] * rows).sum() / 3 == pytest.approx((400 - 200) / 2 - 0.5)


def test_points_beside_the_field_of_view_are_not_seen() -> None:
    beside = np.array([[500, 0, 200], [0, 0, 900], [-102.5, 0, 200]], np.float32)
    assert CAMERA.project_points(beside, np.ones(3, np.float32), np.zeros(3, int), 1).sum() == 0


def test_a_point_is_attenuated_by_the_tissue_before_it(body: Body) -> None:
    images = CAMERA.expose(POINT, np.array([1000.0], np.float32), body)
    for image, depth in zip(images, body.depths(POINT), strict=True):
        assert image.sum() == pytest.approx(1000 * np.exp(-0.12 * float(depth[0]) / 10), rel=1e-3)


def test_the_posterior_view_shows_the_patients_left_on_the_left(body: Body) -> None:
    anterior, posterior = CAMERA.expose(POINT, np.array([1000.0], np.float32), body)
    assert anterior.sum(axis=0).argmax() > 50 > posterior.sum(axis=0).argmax()


def test_resolution_is_the_textbooks_at_10_cm() -> None:
    # LEHR: hole 1.4 mm, length 24 mm: geometric 1.4 * (24 + 100) / 24 = 7.2 mm, with 3.8 mm intrinsic 8.2 mm FWHM.
    assert 2.3548 * 2.0 * CAMERA.sigma_pixels(100 - 30) == pytest.approx(8.18, abs=0.02)


def test_tissue_glows_as_much_as_the_integral_says(body: Body) -> None:
    density = np.full(body.front.shape, 0.02, np.float32)
    images = Camera((300, 150), 2.0, left_mm=-150, top_mm=500).expose_diffuse(density, body)
    expected = 0.02 * ((1 - np.exp(-0.012 * body.thickness)) / 0.012).sum() * 36
    assert images[0].sum() == pytest.approx(expected, rel=0.05)


def test_scatter_adds_its_share_where_there_is_tissue() -> None:
    # A slab of water 200 mm thick, as wide as the lower half of the view.
    front = np.full((70, 40), np.inf, np.float32)
    back = -front
    front[35:], back[35:] = -100, 100
    none = np.zeros_like(front)
    water = Body(front, back, none, none, x0=-120, z1=410)
    camera = replace(CAMERA, penetration=0.0)
    image = np.zeros((2, 200, 100), np.float32)
    image[:, 140:150, 40:60] = 50
    assert camera.add_scatter(image, water).sum() == pytest.approx(1.25 * image.sum(), rel=0.05)
    beside = np.zeros_like(image)
    beside[:, 40:50, 40:60] = 50
    assert camera.add_scatter(beside, water).sum() == pytest.approx(beside.sum(), rel=0.01)


def test_what_penetrates_the_septa_is_seen_everywhere(body: Body) -> None:
    image = np.zeros((2, 200, 100), np.float32)
    image[:, 80:120, 45:55] = 50
    seen = replace(CAMERA, scatter=0.0, penetration=0.02).add_scatter(image, body)
    assert seen.sum() == pytest.approx(1.02 * image.sum(), rel=0.005)


def test_cameras_show_whole_bodies_with_few_exceptions() -> None:
    patient = np.array([[0, 0, 0], [0, 0, 1750], [200, 0, 900], [-200, 0, 900]], np.float32)
    cameras = [draw_camera(np.random.default_rng(seed), patient) for seed in range(200)]
    whole = [c.top_mm >= 1750 and c.top_mm - c.shape[0] * c.pixel_mm <= 0 for c in cameras]
    assert 0.8 < np.mean(whole) < 1
    assert {c.shape for c in cameras} == {(1024, 256), (1024, 512), (512, 128)}
    assert all(1.8 <= c.pixel_mm <= 2.8 for c in cameras if c.shape[0] == 1024)
    assert np.ptp([c.hole_mm for c in cameras]) > 0.8
