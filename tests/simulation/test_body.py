import numpy as np

from napari_bonescint.anatomy import CODES
from napari_bonescint.simulation.body import wrap


def rod(fat: float = 0.0):
    """A femur-like rod of 20 mm radius, 400 mm long, along z."""
    rng = np.random.default_rng(0)
    angle, z = rng.uniform(0, 2 * np.pi, 20_000), rng.uniform(0, 400, 20_000)
    points = np.stack([20 * np.cos(angle), 20 * np.sin(angle), z], axis=1).astype(np.float32)
    return points, wrap(points, np.full(20_000, CODES["femur"], np.uint8), np.ones(20_000, bool), fat)


def test_bone_lies_within_the_skin() -> None:
    points, body = rod()
    anterior, posterior = body.depths(points)
    assert anterior.min() > 5
    assert posterior.min() > 5
    middle = np.array([[0, 0, 200]], np.float32)
    front, back = body.depths(middle)
    np.testing.assert_allclose(front, back, rtol=0.1)


def test_fat_thickens_the_body() -> None:
    assert rod(fat=2)[1].thickness.max() > 1.2 * rod()[1].thickness.max()


def test_there_is_no_tissue_beside_the_body() -> None:
    body = rod()[1]
    assert body.thickness[:, 0].max() == 0
    assert body.thickness[0].max() == 0


def test_a_camera_keeps_to_the_skin() -> None:
    points, body = rod()
    anterior, posterior = body.distances(points)
    assert min(anterior.min(), posterior.min()) >= 0
    assert max(anterior.max(), posterior.max()) < body.thickness.max() + 1


def chest():
    """A barrel of ribs, 300 by 200 mm and 300 mm high, around nothing."""
    rng = np.random.default_rng(0)
    angle, z = rng.uniform(0, 2 * np.pi, 40_000), rng.uniform(0, 300, 40_000)
    points = np.stack([150 * np.cos(angle), 100 * np.sin(angle), z], axis=1).astype(np.float32)
    return wrap(points, np.full(40_000, CODES["ribs"], np.uint8), np.ones(40_000, bool), 0.0)


def test_lungs_attenuate_less_than_the_middle_of_the_chest() -> None:
    middle, lung, belly = (
        chest().depths(np.array([place], np.float32)) for place in ((0, 90, 220), (60, 80, 220), (60, 80, 20))
    )
    assert 0.4 * belly[0] < lung[0] < 0.75 * belly[0]
    assert lung[0] < 0.75 * middle[0]
    # Behind the lung its front does not matter.
    np.testing.assert_allclose(lung[1], belly[1], atol=12)


def test_a_squarer_body_is_as_wide_and_ends_more_steeply() -> None:
    points, round_body = rod()
    square_body = wrap(points, np.full(20_000, CODES["femur"], np.uint8), np.ones(20_000, bool), 0.0, 3.0)
    for body in (round_body, square_body):
        assert body.thickness.max() > 0
    row = round_body.thickness.shape[0] // 2
    round_row, square_row = round_body.thickness[row], square_body.thickness[row]
    np.testing.assert_array_equal(round_row > 0, square_row > 0)
    np.testing.assert_allclose(round_row.max(), square_row.max(), rtol=0.05)
    # Just within the skin there is more of it.
    edge = np.flatnonzero(round_row > 0)[0]
    assert square_row[edge] > 1.2 * round_row[edge]
