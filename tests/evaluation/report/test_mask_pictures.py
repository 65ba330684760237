"""Pictures of scans with masks."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from judged import BONE, bar_scan
from napari_bonescint.evaluation.report.mask_pictures import LabelledMask, picture_of


def test_each_view_shows_the_counts_and_then_each_mask() -> None:
    scan, regions = bar_scan(1)
    masks = [LabelledMask("truth", regions, True), LabelledMask("none", np.zeros_like(regions), True)]
    picture = np.asarray(Image.open(io.BytesIO(picture_of(scan.counts, masks)))).astype(int)
    _, rows, columns = scan.counts.shape
    assert picture.shape == (rows + 14, 6 * columns, 3)
    counts, truth, none = (picture[14:, i * columns : (i + 1) * columns] for i in range(3))
    # JPEG blurs colours, so look at the middle of the bar.
    bar = (slice(30, 60), slice(22, 26))
    assert (regions[0][bar] == BONE).all()
    assert np.ptp(counts[bar].mean(axis=(0, 1))) < 10
    assert np.ptp(truth[bar].mean(axis=(0, 1))) > 40
    assert np.abs(none - counts).mean() < 3


def test_a_tall_scan_is_made_to_fit() -> None:
    counts = np.random.default_rng(0).poisson(5, (1, 2048, 512))
    picture = Image.open(io.BytesIO(picture_of(counts, [])))
    assert picture.size == (128, 512 + 14)
