"""Draw the sacroiliac joints for a report: the measured regions on the view, and the profile of counts across them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_bonescint.display import contrast_limits, dark_on_white
from napari_bonescint.measurement.body import spacing_of
from napari_bonescint.measurement.counts import why_no_counts
from napari_bonescint.measurement.report.pictures import Picture, draw_outline
from napari_bonescint.measurement.sacroiliac import SACRUM, sacroiliac_profile
from napari_bonescint.text.axis_ticks import round_ticks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import Measured
    from napari_bonescint.measurement.sacroiliac import RelativeProfile, SacroiliacProfile
    from napari_bonescint.scan import Scan

JOINT_COLOUR, SACRUM_COLOUR = "#d97000", "#7b3fa0"
_INK, _FAINT = "#222222", "#dddddd"
_HEIGHT, _PLOT_WIDTH, _MOST_WIDTH = 400, 760, 700
_LEFT, _TOP, _RIGHT, _BOTTOM, _GAP = 84, 48, 12, 14, 20
_FONT_SIZE, _TICKS = 27, 5
_AROUND_MM = 45.0


def draw_sacroiliac(scan: Scan, regions: NDArray[np.uint8], measured: Measured) -> Picture | None:
    """Draw the regions on the view beside their profile; None if they cannot be measured.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    measured : Measured
        Its hot spots, which are left out of the sacrum.
    """
    profile = sacroiliac_profile(scan, regions)
    if isinstance(profile, str) or why_no_counts(scan):
        return None
    relative = profile.relative(scan, measured.labels[profile.view] > 0)
    if relative is None:
        return None
    view = _draw_view(scan, profile)
    whole = Image.new("RGB", (view.width + _GAP + _PLOT_WIDTH, _HEIGHT), "white")
    whole.paste(view, (0, 0))
    whole.paste(_draw_plot(relative), (view.width + _GAP, 0))
    buffer = io.BytesIO()
    whole.save(buffer, "PNG")
    return Picture(buffer.getvalue(), whole.width, whole.height)


def _draw_view(scan: Scan, profile: SacroiliacProfile) -> Image.Image:
    """The posterior view around the joints, with the outlines of the measured regions."""
    spacing = spacing_of(scan)
    window = []
    for along, side, mm in zip(np.nonzero(profile.places), profile.places.shape, spacing, strict=True):
        margin = round(_AROUND_MM / mm)
        window.append(slice(max(0, int(along.min()) - margin), min(side, int(along.max()) + margin + 1)))
    inside = tuple(window)
    counts, places = scan.counts[profile.view], profile.places[inside]
    rows, columns = places.shape
    scale = min(_HEIGHT / (rows * spacing[0]), _MOST_WIDTH / (columns * spacing[1]))
    size = round(columns * spacing[1] * scale), round(rows * spacing[0] * scale)
    grey = dark_on_white(np.nan_to_num(counts[inside]), contrast_limits(counts)).round().astype(np.uint8)
    shown = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    draw = ImageDraw.Draw(shown)
    for place in np.unique(places[places > 0]):
        draw_outline(draw, places == place, (spacing[0] * scale, spacing[1] * scale), _colour(int(place)), 3)
    font = ImageFont.load_default(_FONT_SIZE)
    sides = "RL" if scan.views[profile.view].patient_left_on_image_right else "LR"
    draw.text((6, 4), sides[0], _INK, font)
    draw.text((size[0] - 6, 4), sides[1], _INK, font, anchor="ra")
    draw.rectangle((0, 0, size[0] - 1, size[1] - 1), outline="#999999")
    return shown


def _draw_plot(profile: RelativeProfile) -> Image.Image:
    """Counts over those of the sacrum across the image, with a band for each measured region."""
    sheet = Image.new("RGB", (_PLOT_WIDTH, _HEIGHT), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_FONT_SIZE)
    values = [value for _, value in profile.points] + [band.ratio for band in profile.bands]
    low, high = min(0.0, *values), 1.1 * max(values)
    first, last = profile.points[0][0], profile.points[-1][0]

    def at(position: float, value: float) -> tuple[float, float]:
        across = (position - first) / (last - first)
        up = (value - low) / (high - low)
        return _LEFT + across * (_PLOT_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    for band in profile.bands:
        box = (*at(band.first, high), *at(band.last, low))
        draw.rectangle(box, fill=_tint(_colour(band.place)))
        middle = at((band.first + band.last) / 2, high)
        draw.text((middle[0], 8), f"{band.name} {band.ratio:.2f}", _colour(band.place), font, anchor="ma")
    for value in round_ticks(low, high, _TICKS):
        draw.line((*at(first, value), *at(last, value)), _FAINT)
        draw.text((_LEFT - 10, at(first, value)[1]), f"{value:g}", _INK, font, anchor="rm")
    for band in profile.bands:
        draw.line((*at(band.first, band.ratio), *at(band.last, band.ratio)), _colour(band.place), 3)
    draw.line([at(*point) for point in profile.points], _INK, 3, joint="curve")
    draw.rectangle((*at(first, high), *at(last, low)), outline="#999999")
    return sheet


def _colour(place: int) -> str:
    return SACRUM_COLOUR if place == SACRUM else JOINT_COLOUR


def _tint(colour: str) -> tuple[int, int, int]:
    """A light tone of a colour such as ``#d97000``."""
    red, green, blue = (255 - (255 - int(colour[at : at + 2], 16)) // 6 for at in (1, 3, 5))
    return red, green, blue
