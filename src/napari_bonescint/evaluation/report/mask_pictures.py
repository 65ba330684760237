"""Pictures of a scan with masks drawn over it, side by side."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from napari_bonescint.display import contrast_limits, dark_on_white, overlay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.counted_scan import CountedScan
    from napari_bonescint.evaluation.reference_sets import Reference
    from napari_bonescint.segmentation import Segmentation

_HEIGHT = 512
_STRIP = 14
_JPEG_QUALITY = 85


class LabelledMask(NamedTuple):
    """A mask of shape (view, y, x) with its label; `names_regions` is true if it holds region codes."""

    label: str
    mask: NDArray[np.uint8]
    names_regions: bool

    @classmethod
    def of_truth(cls, reference: Reference | CountedScan) -> LabelledMask:
        """The true mask of a scan."""
        return cls("truth", reference.regions, reference.names_regions)

    @classmethod
    def of_model(cls, label: str, result: Segmentation) -> LabelledMask:
        """The mask of a model's result."""
        mask = result.skeleton if result.regions is None else result.regions
        return cls(label, mask, result.regions is not None)


def panels_of(counts: NDArray[np.generic], masks: Sequence[LabelledMask], view: int) -> list[NDArray[np.uint8]]:
    """Draw one view: the counts dark on white, then the counts with each mask, as RGB arrays of shape (y, x, 3).

    Parameters
    ----------
    counts : ndarray of shape (view, y, x)
        As acquired.
    masks : sequence of LabelledMask
        With the shape of the counts.
    view : int
    """
    image = counts[view]
    grey = dark_on_white(image, contrast_limits(image)).round().astype(np.uint8)
    return [
        np.repeat(grey[..., None], 3, axis=2),
        *(overlay(image, each.mask[view], names_regions=each.names_regions) for each in masks),
    ]


def picture_of(counts: NDArray[np.generic], masks: Sequence[LabelledMask]) -> bytes:
    """Draw a scan as JPEG: for each view the panels of `panels_of`, side by side, with their labels."""
    labels = ["counts", *(each.label for each in masks)]
    panels = [pair for view in range(len(counts)) for pair in zip(labels, panels_of(counts, masks, view), strict=True)]
    rows, columns = counts.shape[1:]
    height = min(rows, _HEIGHT)
    width = max(1, round(columns * height / rows))
    sheet = Image.new("RGB", (width * len(panels), height + _STRIP), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (label, panel) in enumerate(panels):
        sheet.paste(Image.fromarray(panel).resize((width, height), Image.Resampling.BOX), (index * width, _STRIP))
        draw.text((index * width + 2, 1), label, fill="black")
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
