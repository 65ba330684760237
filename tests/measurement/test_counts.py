"""Which pixels are counts."""

from dataclasses import replace

import numpy as np
import pytest

from napari_bonescint.measurement.counts import saturation_warnings, why_no_counts


@pytest.fixture
def eight_bits(scan):
    return replace(scan, counts=np.minimum(scan.counts, 255).astype(np.uint8))


def test_eight_bits_are_counts_only_if_the_file_states_their_sum(scan, eight_bits):
    assert why_no_counts(scan) == ""
    assert "8 bits" in why_no_counts(eight_bits)
    total = int(eight_bits.counts.sum())
    assert why_no_counts(replace(eight_bits, acquisition={"counts_accumulated": total})) == ""
    assert "8 bits" in why_no_counts(replace(eight_bits, acquisition={"counts_accumulated": 2 * total}))


def test_fractions_and_inverted_views_are_no_counts(scan):
    whole = scan.counts.astype(np.float64)
    assert why_no_counts(replace(scan, counts=whole)) == ""
    assert "fractions" in why_no_counts(replace(scan, counts=whole / 3))
    views = (replace(scan.views[0], inverted=True), *scan.views[1:])
    assert "inverted" in why_no_counts(replace(scan, views=views))


def test_saturated_pixels_are_reported_by_view(scan):
    counts = scan.counts.astype(np.uint16)
    assert saturation_warnings(replace(scan, counts=counts)) == []
    counts[0, :2, :5] = 65535
    (sentence,) = saturation_warnings(replace(scan, counts=counts))
    assert sentence.startswith("The anterior view is saturated: 10 pixels hold the highest possible value, 65535")
