"""Make a picture of a scan with its mask in colours, for viewing only."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from napari_bonescint.display import overlay
from napari_bonescint.text.formatting import DISCLAIMER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan

_WHITE = (255, 255, 255)
_TEXT_COLOUR = (60, 60, 60)
_MARGIN = 8
_FONT_SIZE = 14


def encode_preview(scan: Scan, regions: NDArray[np.uint8], *, names_regions: bool = True) -> bytes:
    """Encode the views of a scan side by side as PNG, with the mask in colours.

    The picture has as many pixels as the scan has rows; columns are stretched if pixels are not square. L and R are
    the patient's sides. `regions` (uint8, view, y, x) are region codes if `names_regions`, or 1 for bone.
    """
    font = ImageFont.load_default(_FONT_SIZE)
    line = _FONT_SIZE + _MARGIN
    views = [
        Image.fromarray(overlay(counts, mask, names_regions=names_regions))
        for counts, mask in zip(scan.counts, regions, strict=True)
    ]
    if scan.spacing is not None:
        stretch = scan.spacing[1] / scan.spacing[0]
        views = [view.resize((max(1, round(view.width * stretch)), view.height)) for view in views]
    width = _MARGIN + sum(view.width + _MARGIN for view in views)
    width = max(width, 2 * _MARGIN + round(font.getlength(DISCLAIMER)))
    picture = Image.new("RGB", (width, 2 * line + views[0].height + _MARGIN), _WHITE)
    draw = ImageDraw.Draw(picture)
    left = _MARGIN
    for view, shown in zip(scan.views, views, strict=True):
        picture.paste(shown, (left, line))
        sides = "RL" if view.patient_left_on_image_right else "LR"
        draw.text((left, _MARGIN // 2), sides[0], _TEXT_COLOUR, font)
        draw.text((left + shown.width, _MARGIN // 2), sides[1], _TEXT_COLOUR, font, anchor="ra")
        left += shown.width + _MARGIN
    draw.text((_MARGIN, line + views[0].height + _MARGIN // 2), DISCLAIMER, _TEXT_COLOUR, font)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
