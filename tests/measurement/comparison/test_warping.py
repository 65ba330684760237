from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from measurement.comparison.conftest import measured, one_view
from napari_bonescint.measurement.comparison.changes import Change
from napari_bonescint.measurement.comparison.comparing import compare
from napari_bonescint.measurement.comparison.warping import warp_prior
from napari_bonescint.scan import ViewName


def test_the_warped_prior_lies_on_the_new_scan_and_the_difference_shows_the_changes(pair):
    comparison = compare(pair.new, pair.old)
    warped = warp_prior(pair.new, pair.old, comparison)
    assert warped.counts.shape == warped.difference.shape == pair.new.scan.counts.shape
    free = (pair.new.regions > 0) & (pair.new.measured.labels == 0) & np.isfinite(warped.counts)
    smooth = [
        ndimage.gaussian_filter(np.nan_to_num(image).astype(np.float32), (0, 1.5, 1.5))[free]
        for image in (pair.new.scan.counts, warped.counts)
    ]
    assert np.corrcoef(*smooth)[0, 1] > 0.8
    assert np.median(smooth[0]) == pytest.approx(np.median(smooth[1]), rel=0.1)
    assert abs(np.median(warped.difference[free])) < 0.1
    views = [view.name for view in pair.new.scan.views]

    def largest(change):
        """The largest difference near the lesion, in any view."""
        (lesion,) = comparison.of(change)
        near = [
            warped.difference[views.index(view)][round(row) - 2 : round(row) + 3, round(column) - 2 : round(column) + 3]
            for view, (row, column) in lesion.places.items()
        ]
        return max((float(each.mean()) for each in near), key=abs)

    assert largest(Change.NEW) > 0.5
    assert largest(Change.GONE) < -0.3


def test_the_prior_is_scaled_by_bone_without_hot_spots(pair):
    half = replace(pair.old.scan, counts=pair.old.scan.counts * 3)
    hot = half.counts.copy()
    hot[pair.old.measured.labels > 0] *= 10
    tripled = measured(replace(half, counts=hot), pair.old.regions, pair.old.measured.labels)
    before, after = compare(pair.new, pair.old), compare(pair.new, tripled)
    for view in ViewName:
        assert after.prior_scale[view] == pytest.approx(before.prior_scale[view] / 3)


def test_a_view_without_a_prior_is_empty(pair):
    only = one_view(pair.old, ViewName.POSTERIOR)
    warped = warp_prior(pair.new, only, compare(pair.new, only))
    assert np.isnan(warped.counts[0]).all()
    assert np.isfinite(warped.counts[1]).mean() > 0.5
