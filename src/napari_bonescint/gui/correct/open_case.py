"""The scan that is corrected, with its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.gui.layers.labels import masks_of
from napari_bonescint.gui.layers.scans import facts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.layers import Image, Labels
    from numpy.typing import NDArray

    from napari_bonescint.display import Window
    from napari_bonescint.scan import Scan, View


@dataclass(frozen=True, eq=False)
class OpenCase:
    """A scan whose views lie side by side in the viewer, each with an image and a labels layer.

    Attributes
    ----------
    scan : Scan
    images : list of Image
        One for each view, in the order of the scan.
    windows : sequence of (float, float)
        Usual contrast limits of each view.
    labels : list of Labels
        The corrected mask, one layer for each view; region codes.
    model_regions : ndarray of uint8, shape (view, y, x), or None
        The model's mask.
    probability : ndarray of float32, shape (view, y, x), or None
        Probability of bone by the model.
    """

    scan: Scan
    images: list[Image]
    windows: Sequence[Window]
    labels: list[Labels]
    model_regions: NDArray[np.uint8] | None = None
    probability: NDArray[np.float32] | None = None

    def regions(self) -> NDArray[np.uint8]:
        """A copy of the present mask, of shape (view, y, x)."""
        return masks_of(self.labels)

    def view(self, index: int) -> View:
        """The view of an image, as named by the file or the user."""
        return facts_of(self.images[index]).view

    def view_at(self, position: Sequence[float]) -> int | None:
        """Index of the view at a position in world coordinates; None between the views."""
        for index, labels in enumerate(self.labels):
            row, column = self.pixel(index, position)
            if 0 <= row < labels.data.shape[0] and 0 <= column < labels.data.shape[1]:
                return index
        return None

    def point(self, index: int, position: Sequence[float]) -> tuple[float, float]:
        """Convert world coordinates to pixels (y, x) of a view; whole numbers are the centres of pixels."""
        y, x = self.labels[index].world_to_data(tuple(position)[-2:])
        return float(y), float(x)

    def pixel(self, index: int, position: Sequence[float]) -> tuple[int, int]:
        """Row and column of a view at a position in world coordinates; they may be outside the view."""
        y, x = self.point(index, position)
        return round(y), round(x)

    def world(self, index: int, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Convert pixels of a view, shape (n, 2), to world coordinates of the same shape."""
        labels = self.labels[index]
        return np.array([labels.data_to_world(point) for point in points]).reshape(-1, 2)
