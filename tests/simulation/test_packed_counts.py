from __future__ import annotations

import io

import numpy as np
import pytest

from napari_bonescint.simulation.packed_counts import TOTAL, compress_archive, pack_counts, unpack_counts


def test_rounding_is_far_below_the_noise_of_a_scan() -> None:
    rng = np.random.default_rng(0)
    # Expected counts of 0 to 100,000 in a pixel, as in a hot bladder, in another unit in each view.
    expected = 10 ** rng.uniform(-3, 5, (2, 200, 100)).astype(np.float32)
    expected[:, :50] = 0
    unit = np.array([0.01, 20], np.float32)
    packed = pack_counts(expected * unit[:, None, None], np.float32(TOTAL) * unit)
    again = unpack_counts(packed, np.float32(TOTAL) * unit) / unit[:, None, None]
    assert again.dtype == np.float32
    assert (again[:, :50] == 0).all()
    counted = expected >= 1
    error = (again - expected)[counted] / np.sqrt(expected[counted])
    # In standard deviations of the counts of one pixel.
    assert np.sqrt(np.mean(error**2)) == pytest.approx(0.115, abs=0.003)
    assert np.abs(error).max() < 0.25
    assert again.sum() == pytest.approx(expected.sum(), rel=1e-3)


def test_smooth_counts_take_less_than_a_fifth_of_half_precision() -> None:
    y, x = np.mgrid[:200, :100]
    body = (40 * np.exp(-(((y - 100) / 60) ** 2) - ((x - 50) / 20) ** 2)).astype(np.float32)
    expected = np.stack([body, body[:, ::-1]])
    archive = compress_archive({"counts": pack_counts(expected, np.full(2, TOTAL, np.float32)), "name": "a case"})
    assert len(archive) < expected.astype(np.float16).nbytes / 5
    with np.load(io.BytesIO(archive), allow_pickle=False) as file:
        assert str(file["name"]) == "a case"
        assert file["counts"].shape == (2, 2, 200, 100)
