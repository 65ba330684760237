from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image, Labels

from napari_bonescint.anatomy import REGIONS

if TYPE_CHECKING:
    from napari import Viewer


def test_the_real_scan_opens(viewer: Viewer) -> None:
    viewer.open_sample("napari-bonescint", "nema_nm1")
    (image,) = [layer for layer in viewer.layers if isinstance(layer, Image)]
    assert image.name == "NEMA NM1 anterior"
    assert image.data.shape == (1024, 256)
    np.testing.assert_allclose(image.scale, (2.26, 2.26))


def test_the_simulated_scan_opens_with_its_true_regions(viewer: Viewer) -> None:
    viewer.open_sample("napari-bonescint", "simulated")
    images = [layer for layer in viewer.layers if isinstance(layer, Image)]
    truths = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert [image.name for image in images] == ["simulated anterior", "simulated posterior"]
    for image, truth in zip(images, truths, strict=True):
        assert truth.data.shape == image.data.shape
        np.testing.assert_array_equal(truth.translate, image.translate)
        assert 5 < len(np.unique(truth.data)) <= len(REGIONS)
        # Bone holds more counts than what surrounds it.
        assert image.data[truth.data > 0].mean() > 1.5 * image.data[truth.data == 0].mean()


def test_samples_lie_beside_what_is_open(viewer: Viewer) -> None:
    for _ in range(2):
        viewer.open_sample("napari-bonescint", "nema_nm1")
    first, second = (layer for layer in viewer.layers if isinstance(layer, Image))
    assert second.translate[1] > first.translate[1] + first.data.shape[1] * first.scale[1]
