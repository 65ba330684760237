"""Read masks in PNG: one view, with grey values or palette indices as labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.region_mapping import translate
from napari_bonescint.formats.pictures import orientation
from napari_bonescint.formats.pictures.raster import PNG_START, opened_png, png_header, png_orientation
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, NO_LABELS, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_whole

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.formats.masks.region_mapping import RegionMapping

_LABEL_MODES = {"1", "L", "P", "I", "I;16"}
# By bits of a pixel: Pillow stretches greys of 2 and 4 bits to 0 to 255.
_STRETCHED = {2: 85, 4: 17}


@reader
def read_mask_png(path: Path, mapping: RegionMapping | None = None) -> Mask:
    """Read a mask of one view, whose pixels are labels: grey values of 1 to 16 bits, or a palette's indices.

    `mapping` gives the regions of labels that are not our codes; a label without a region raises `UnmappedLabels`. PNG
    states neither view nor spacing. A file that is missing, damaged, no PNG, or in colours, is a `Refusal`.
    """
    content = read_whole(path)
    if not content.startswith(PNG_START):
        raise Refusal(path, "The file is no PNG.")
    depth, _ = png_header(path, content)
    try:
        with opened_png(path, content) as image:
            if image.mode not in _LABEL_MODES:
                raise Refusal(path, NO_LABELS)
            if getattr(image, "n_frames", 1) > 1:
                raise Refusal(path, "The image is animated; a mask is a still image, of one view.")
            stretch = _STRETCHED.get(depth, 1) if image.mode == "L" else 1
            stored = png_orientation(image)
            labels = orientation.turned(np.asarray(image), stored).astype(np.int64) // stretch
    except Refusal:
        raise
    except Exception as error:  # Pillow's decoders may raise any exception
        raise Refusal(path, DAMAGED) from error
    regions, names_regions = translate(path, labels[np.newaxis], mapping)
    return Mask(regions, (None,), None, names_regions)
