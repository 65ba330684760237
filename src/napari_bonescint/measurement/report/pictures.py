"""Draw the views of a scan for a report: outlines of the regions, and hot spots with their numbers."""

from __future__ import annotations

import io
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

from napari_bonescint.display import contrast_limits, dark_on_white
from napari_bonescint.scan import ViewSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from napari_bonescint.display import Window
    from napari_bonescint.measurement.measures import HotSpot, Measured
    from napari_bonescint.scan import Scan, View

SUSPICIOUS_COLOUR = "#d7191c"
OTHER_COLOUR = "#2b6cb0"
REGION_COLOUR = "#7fbfa5"

_HEIGHT = 1400
_MOST_WIDTH = 1500
_GAP = 24
# Shares of the image's sides, and of the window's width.
_MARGIN = 0.02
_SMOOTH = 0.004
_FAINTEST = 0.04
_FONT_SIZE = 26
_CAPTION = 34
_INK = "#222222"

Box = tuple[float, float, float, float]


class Picture(NamedTuple):
    """A picture as PNG, and its size in pixels."""

    png: bytes
    width: int
    height: int


def draw_views(scan: Scan, regions: NDArray[np.uint8], measured: Measured) -> Picture:
    """Draw all views side by side, uptake dark on white, in the window that the program shows bone in.

    Above each view are its name and the patient's sides R and L. Suspicious hot spots are red and the others blue.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    measured : Measured
        Its hot spots.
    """
    spots = measured.measures.hot_spots
    rows, columns = _body(scan, regions)
    aspect = 1 if scan.spacing is None else scan.spacing[1] / scan.spacing[0]
    sheets = [
        _draw_view(
            view,
            counts[rows, columns],
            codes[rows, columns],
            labels[rows, columns],
            [spot for spot in spots if spot.view is view.name],
            contrast_limits(counts),
            aspect,
            len(scan.views),
        )
        for view, counts, codes, labels in zip(scan.views, scan.counts, regions, measured.labels, strict=True)
    ]
    width = sum(sheet.width for sheet in sheets) + _GAP * (len(sheets) - 1)
    whole = Image.new("RGB", (width, max(sheet.height for sheet in sheets)), "white")
    left = 0
    for sheet in sheets:
        whole.paste(sheet, (left, 0))
        left += sheet.width + _GAP
    buffer = io.BytesIO()
    whole.save(buffer, "PNG")
    return Picture(buffer.getvalue(), whole.width, whole.height)


def _body(scan: Scan, regions: NDArray[np.uint8]) -> tuple[slice, slice]:
    """Rows and columns that show the body, or counts outside it, in any of the views, with a margin."""
    shape = scan.counts.shape[1:]
    marked = np.zeros(shape, bool)
    for counts, codes in zip(scan.counts, regions, strict=True):
        low, high = contrast_limits(counts)
        smooth = gaussian_filter(np.nan_to_num(counts.astype(np.float32)), [side * _SMOOTH for side in shape])
        marked |= (codes > 0) | (smooth > low + _FAINTEST * (high - low))
    found = []
    for axis, side in enumerate(shape):
        places = np.flatnonzero(marked.any(axis=1 - axis))
        margin = round(_MARGIN * side)
        first, last = (int(places[0]), int(places[-1])) if places.size else (0, side - 1)
        found.append(slice(max(0, first - margin), min(side, last + 1 + margin)))
    return found[0], found[1]


def _draw_view(
    view: View,
    counts: NDArray[np.generic],
    codes: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    spots: list[HotSpot],
    window: Window,
    pixel_aspect: float,
    views: int,
) -> Image.Image:
    """Draw one view of several; `pixel_aspect` is the width of a pixel over its height."""
    rows, columns = counts.shape
    aspect = columns / rows * pixel_aspect
    height = max(1, round(min(_HEIGHT, _MOST_WIDTH / views / aspect)))
    width = max(1, round(height * aspect))
    scale = height / rows, width / columns
    grey = dark_on_white(np.nan_to_num(counts), window).round().astype(np.uint8)
    shown = Image.fromarray(grey).resize((width, height), Image.Resampling.BICUBIC).convert("RGB")
    draw = ImageDraw.Draw(shown)
    for code in np.unique(codes[codes > 0]):
        draw_outline(draw, codes == code, scale, REGION_COLOUR, 2)
    for spot in spots:
        draw_outline(draw, labels == spot.id, scale, _colour(spot), 3)
    _number(draw, labels, spots, scale, (width, height))
    return _captioned(shown, view)


def _colour(spot: HotSpot) -> str:
    return SUSPICIOUS_COLOUR if spot.suspicious else OTHER_COLOUR


def draw_outline(
    draw: ImageDraw.ImageDraw, mask: NDArray[np.bool_], scale: tuple[float, float], colour: str, width: int
) -> None:
    """Draw the outline of a mask (y, x); `scale` is the height and width of a pixel in the picture."""
    for contour in find_contours(np.pad(mask, 1).astype(np.float32), 0.5):
        # A padded pixel's centre is half a pixel before its place in the picture.
        points = (contour - 0.5) * scale
        draw.line([(x, y) for y, x in points], fill=colour, width=width, joint="curve")


def _number(
    draw: ImageDraw.ImageDraw,
    labels: NDArray[np.uint16],
    spots: Iterable[HotSpot],
    scale: tuple[float, float],
    size: tuple[int, int],
) -> None:
    """Write the number of each hot spot beside it, on a free place if there is one."""
    font = ImageFont.load_default(_FONT_SIZE)
    outlines = {spot.id: _box(labels == spot.id, scale) for spot in spots}
    taken: list[Box] = []
    for spot in spots:
        text = str(spot.id)
        left, top, right, bottom = font.getbbox(text)
        wide, high = right - left, bottom - top
        around = outlines[spot.id]
        others = [*taken, *outlines.values()]
        place = min(
            _places(around, wide, high, size),
            key=lambda box: sum(_overlap(box, other) for other in others) + 0.02 * _distance(box, around),
        )
        taken.append(place)
        anchor = (place[0] - left, place[1] - top)
        if _distance(place, around) > 2 * _FONT_SIZE:
            draw.line((*_centre(place), *_centre(around)), fill=_colour(spot), width=1)
        draw.text(anchor, text, _colour(spot), font, stroke_width=3, stroke_fill="white")


def _box(mask: NDArray[np.bool_], scale: tuple[float, float]) -> Box:
    """Left, top, right and bottom of a mask in the picture."""
    rows, columns = np.nonzero(mask)
    if not rows.size:
        return 0, 0, 0, 0
    return (
        columns.min() * scale[1],
        rows.min() * scale[0],
        (columns.max() + 1) * scale[1],
        (rows.max() + 1) * scale[0],
    )


def _places(around: Box, wide: float, high: float, size: tuple[int, int]) -> list[Box]:
    """Boxes for a number beside a hot spot, inside the picture, the nearest first."""
    left, top, right, bottom = around
    middle = (top + bottom - high) / 2
    found = []
    for away, (x, y) in product((6, 34, 70), ((1, 0), (-1, 0), (1, -1), (-1, -1), (1, 1), (-1, 1), (0, -1), (0, 1))):
        at_x = {1: right + away, -1: left - away - wide, 0: (left + right - wide) / 2}[x]
        at_y = {1: bottom + away / 2, -1: top - away / 2 - high, 0: middle}[y]
        at_x = min(max(at_x, 3), size[0] - wide - 3)
        at_y = min(max(at_y, 3), size[1] - high - 3)
        found.append((at_x, at_y, at_x + wide, at_y + high))
    return found


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0]) + 4
    height = min(one[3], other[3]) - max(one[1], other[1]) + 4
    return max(0.0, width) * max(0.0, height)


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _distance(one: Box, other: Box) -> float:
    """Gap between two boxes."""
    across = max(one[0] - other[2], other[0] - one[2], 0)
    down = max(one[1] - other[3], other[1] - one[3], 0)
    return float(np.hypot(across, down))


def _captioned(shown: Image.Image, view: View) -> Image.Image:
    """A view with its name and the patient's sides above it, in a thin frame."""
    font = ImageFont.load_default(_FONT_SIZE)
    sheet = Image.new("RGB", (shown.width + 2, shown.height + _CAPTION + 2), "white")
    draw = ImageDraw.Draw(sheet)
    sides = "RL" if view.patient_left_on_image_right else "LR"
    name = view.name.capitalize() + (" (assumed)" if view.source is ViewSource.ASSUMED else "")
    draw.text((2, 2), sides[0], _INK, font)
    draw.text((sheet.width - 2, 2), sides[1], _INK, font, anchor="ra")
    draw.text((sheet.width / 2, 2), name, _INK, font, anchor="ma")
    sheet.paste(shown, (1, _CAPTION + 1))
    draw.rectangle((0, _CAPTION, sheet.width - 1, sheet.height - 1), outline="#999999")
    return sheet
