"""Give napari's automatic contrast of a scan the window in which bone is seen."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.display import contrast_limits
from napari_bonescint.formats.pictures.raster import looks_inverted

if TYPE_CHECKING:
    from napari.layers import Image


def follow_bone(image: Image) -> None:
    """Let the buttons "once" and "continuous", and the key C, choose the window in which bone is easily seen.

    napari takes the smallest and the largest pixel: a hot bladder or injection site then makes all bone faint. napari
    has no setting for this, so the layer's method is replaced. A picture with dark uptake keeps napari's contrast.
    """
    layer = weakref.ref(image)

    def reset_contrast_limits(mode: str | None = None) -> None:
        present = layer()
        if present is None:
            return
        counts = np.asarray(present.data)
        if looks_inverted(counts[np.newaxis]):
            type(present).reset_contrast_limits(present, mode)
        else:
            present.contrast_limits = contrast_limits(counts)

    image.reset_contrast_limits = reset_contrast_limits
