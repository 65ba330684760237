"""Read the pixel spacing of a TIFF file, by the conventions of the programs that write one.

The resolution tags alone are unreliable: paint programs write the dots per inch of a screen or printer, and others 1.
Only a value that is possible for a planar scan is taken as its spacing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import tifffile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tifffile import TiffPage

    from napari_bonescint.scan import Spacing

SPACING_KEY = "spacing_mm"
"""Key of the exact spacing in the description, as our own writer states it."""

# Cameras make pixels of 1 to 10 mm; 72 dots an inch, the coarsest of common screens and printers, are 0.35 mm.
_SMALLEST_MM = 0.5
_LARGEST_MM = 20.0
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_MM_PER_RESOLUTION_UNIT = {tifffile.RESUNIT.INCH: 25.4, tifffile.RESUNIT.CENTIMETER: 10.0}
_MM_PER_UNIT = {
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-6),
    **dict.fromkeys(("um", "µm", "μm", "\\u00b5m", "micron", "microns", "micrometer", "micrometre"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e3),
    **dict.fromkeys(("in", "inch", "inches"), 25.4),
}


class OmePixels(NamedTuple):
    """Number of planes, and pixel spacing (y, x) in mm or None, of one image in OME-XML."""

    planes: int
    spacing: Spacing | None


def spacing_of(page: TiffPage, facts: Mapping[str, Any]) -> Spacing | None:
    """Pixel spacing (y, x) in mm, along the stored rows and columns; None if the file states none.

    `page` is the first page; `facts` are those of our writer.
    """
    stated = facts.get(SPACING_KEY)
    if isinstance(stated, list) and len(stated) == 2 and all(isinstance(side, int | float) for side in stated):
        return _if_possible(float(stated[0]), float(stated[1]), smallest=0, largest=float("inf"))
    if page.is_ome:
        found = next((image.spacing for image in ome_pixels(page.description) if image.spacing is not None), None)
        if found is not None:
            return found
    described = page.imagej_description
    if described is not None:
        units = dict(line.split("=", 1) for line in described.splitlines() if "=" in line)
        if "unit" in units:
            along_x = _MM_PER_UNIT.get(units["unit"].strip().lower())
            along_y = _MM_PER_UNIT.get(units.get("yunit", units["unit"]).strip().lower())
            return _by_resolution(page, along_y, along_x)
    unit = page.tags.valueof(_RESOLUTION_UNIT, default=tifffile.RESUNIT.INCH)
    along = _MM_PER_RESOLUTION_UNIT.get(unit)
    # Writers put one pixel an inch or a centimetre if they do not know the resolution.
    return None if _resolution(page) == (1.0, 1.0) else _by_resolution(page, along, along)


def ome_pixels(description: str) -> list[OmePixels]:
    """Planes and spacing of the images in OME-XML; nothing if it is damaged."""
    try:
        root = ElementTree.fromstring(description)  # noqa: S314  # Python's expat has limits of its own
    except ElementTree.ParseError:
        return []
    found = []
    for pixels in root.iter():
        if pixels.tag.rpartition("}")[2] != "Pixels":
            continue
        planes = 1
        for axis in "ZCT":
            planes *= _whole(pixels.get(f"Size{axis}"))
        samples = [
            _whole(channel.get("SamplesPerPixel")) for channel in pixels if channel.tag.rpartition("}")[2] == "Channel"
        ]
        y, x = (
            _length(pixels.get(f"PhysicalSize{axis}"), pixels.get(f"PhysicalSize{axis}Unit", "µm")) for axis in "YX"
        )
        found.append(OmePixels(planes // max([1, *samples]), _if_possible(y, x)))
    return found


def _by_resolution(page: TiffPage, mm_along_y: float | None, mm_along_x: float | None) -> Spacing | None:
    resolution = _resolution(page)
    if resolution is None or mm_along_y is None or mm_along_x is None:
        return None
    y, x = resolution
    return _if_possible(mm_along_y / y if y > 0 else None, mm_along_x / x if x > 0 else None)


def _resolution(page: TiffPage) -> tuple[float, float] | None:
    """Resolution (y, x) in pixels for each unit; None unless the file states both."""
    stated = [page.tags.valueof(tag) for tag in (_Y_RESOLUTION, _X_RESOLUTION)]
    if not all(isinstance(each, tuple) and len(each) == 2 and each[1] > 0 for each in stated):
        return None
    y, x = (pixels / units for pixels, units in stated)
    return y, x


def _length(number: str | None, unit: str) -> float | None:
    try:
        return float(number or "") * _MM_PER_UNIT[unit.strip().lower()]
    except (ValueError, KeyError):
        return None


def _whole(number: str | None) -> int:
    try:
        return max(1, int(number or "1"))
    except ValueError:
        return 1


def _if_possible(
    y: float | None, x: float | None, smallest: float = _SMALLEST_MM, largest: float = _LARGEST_MM
) -> Spacing | None:
    if y is None or x is None or not (smallest <= y <= largest and smallest <= x <= largest):
        return None
    return (y, x) if min(y, x) > 0 and max(y, x) < float("inf") else None
