from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.counted_scan import CountedScan
from napari_bonescint.segmentation import Segmentation
from napari_bonescint.training.loop.validation import view_dice

if TYPE_CHECKING:
    from napari_bonescint.scan import Scan


def test_regions_are_compared_where_both_name_them_and_bone_elsewhere(scan: Scan) -> None:
    truth = np.zeros(scan.counts.shape, np.uint8)
    truth[:, 20:60, 20:40], truth[:, 60:100, 20:40] = 3, 4
    named = np.where(truth > 0, 3, 0).astype(np.uint8)
    skeleton = (truth > 0).astype(np.uint8)
    result = Segmentation(skeleton, named, skeleton.astype(np.float32), "m", "ab" * 32, "cpu", "CPU", "torch", 0.1)
    # Half of what is called thoracic spine is; no lumbar spine is found: (2/3 + 0) / 2.
    assert view_dice(result, 0, CountedScan(scan, truth, names_regions=True)) == pytest.approx(1 / 3)
    assert view_dice(result, 0, CountedScan(scan, skeleton, names_regions=False)) == 1
    assert view_dice(replace(result, regions=None), 1, CountedScan(scan, truth, names_regions=True)) == 1
