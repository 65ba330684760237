"""The clinician's way from a file to exported masks, by mouse in a small window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from clinician_walk import LIMIT, sample, walk
from napari.layers import Labels
from PIL import Image

from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.masks.registry import read_mask
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from pathlib import Path

    from napari import Viewer


def test_the_way_takes_at_most_eight_clicks_and_ends_with_valid_files(viewer: Viewer, tmp_path: Path) -> None:
    path = sample(tmp_path)
    done = walk(viewer, path, lambda _name, _picture: None)
    assert len(done.clicks) <= LIMIT, done.clicks
    assert done.rib_pixels > 0

    found = {file.name.partition(".")[2]: file for file in done.files}
    assert sorted(found) == [
        "anterior.counts.nii.gz",
        "anterior.nii.gz",
        "posterior.counts.nii.gz",
        "posterior.nii.gz",
        "preview.png",
        "seg.dcm",
    ]
    shown = np.stack([layer.data for layer in viewer.layers if isinstance(layer, Labels)])
    scan = open_scan(path)
    masks = [read_mask(found[f"{view}.nii.gz"]) for view in ("anterior", "posterior")]
    assert np.array_equal(lay_on(scan, masks).regions, shown)
    assert np.array_equal(read_mask(found["seg.dcm"], scan=scan).regions, shown)
    with Image.open(found["preview.png"]) as picture:
        assert picture.height >= shown.shape[1]
