"""Read PNG and TIFF pictures of scans. They name no view, and only TIFF may state a spacing."""

from __future__ import annotations

import struct
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from PIL import Image

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.pictures import orientation
from napari_bonescint.formats.pictures.tiff_directories import require_sound_tiff
from napari_bonescint.formats.pictures.tiff_pages import TIFF_START, read_tiff_planes
from napari_bonescint.formats.safe_reading.budget import metered, require_pixels
from napari_bonescint.formats.safe_reading.guarded import reader, refusing
from napari_bonescint.formats.safe_reading.plausibility import (
    require_counts,
    require_possible_size,
    without_blank_views,
)
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_whole, sha256
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import (
    NO_SPACING,
    VIEW_ASSUMED,
    VIEWS_ASSUMED,
    Scan,
    View,
    ViewName,
    ViewSource,
    spacing_problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.pictures.tiff_pages import Plane
    from napari_bonescint.scan import Spacing

PNG_START = b"\x89PNG\r\n\x1a\n"

_PNG_GREY = 0
# Channels by colour type: grey, three colours, a palette, grey and opacity, three colours and opacity.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_IN_COLOUR = "The image is in colour; only grey images can be segmented."
_LOSSY = "The image was stored with lossy compression, so its values are not exactly the saved ones."
INVERTED = Notice(
    "The background is brighter than the body; if dark means uptake here, invert the image first.", Remedy.INVERT
)
_EQUAL_CHANNELS = "The image is stored in colour, with equal channels; one of them was taken as counts."


def looks_like_raster(start: bytes) -> bool:
    """True if the first bytes of a file are those of PNG or TIFF."""
    return start.startswith((PNG_START, *TIFF_START))


@reader
def read_raster(path: Path) -> Scan:
    """Read a grey PNG or TIFF of one view, or a TIFF of two, as stored but upright, anterior first.

    Pixel values must grow with the counts: 8 or 16 bits, in TIFF any integer or floating-point number. The views are
    assumed, with a warning. A file that is damaged, in colour, has more than two pages, or shows no counts, is a
    `Refusal`.
    """
    content = read_whole(path)
    stated = None
    if content.startswith(PNG_START):
        planes, warnings = _read_png(path, content)
    elif content.startswith(TIFF_START):
        planes, stated, warnings = _read_tiff(path, content)
    else:
        raise NotAPlanarScan(path, "The file is neither PNG nor TIFF.")
    require_possible_size(path, *planes.shape[1:])
    require_counts(path, planes)
    if stated is not None and (problem := spacing_problem(stated, planes.shape[1:])) is not None:
        warnings.append(Notice(f"A pixel spacing {problem}; the file's value was ignored.", Remedy.SET_SPACING))
        stated = None
    if looks_inverted(planes):
        warnings.append(INVERTED)

    names = (ViewName.ANTERIOR, ViewName.POSTERIOR)[: len(planes)]
    unknown = [VIEW_ASSUMED if len(names) == 1 else VIEWS_ASSUMED, *([NO_SPACING] if stated is None else [])]
    scan = Scan(
        counts=planes,
        views=tuple(View(name, ViewSource.ASSUMED) for name in names),
        spacing=stated,
        acquisition={"matrix": f"{planes.shape[1]}x{planes.shape[2]}"},
        sources=(path,),
        source_sha256=sha256(content),
        warnings=(*warnings, *unknown),
    )
    return without_blank_views(scan)


def png_header(path: Path, content: bytes) -> tuple[int, int]:
    """Bits of a channel and colour type of a PNG, after a check of its size."""
    try:
        width, height, depth, colour = struct.unpack(">IIBB", content[16:26])
    except struct.error as error:
        raise Refusal(path, DAMAGED) from error
    require_possible_size(path, height, width)
    require_pixels(path, height, width, _PNG_CHANNELS.get(colour, 4), bytes_a_pixel=depth / 8)
    return depth, colour


@contextmanager
def opened_png(path: Path, content: bytes) -> Iterator[Image.Image]:
    """Open a PNG for decoding; raises Pillow's own errors about damage."""
    # Decoding alone ignores checksums after the last row.
    with metered(path, content) as stream, Image.open(stream, formats=("PNG",)) as image:
        image.verify()
    with metered(path, content) as stream, Image.open(stream, formats=("PNG",)) as image:
        yield image


def png_orientation(image: Image.Image) -> int:
    """The orientation of a PNG, from its EXIF block or from the other places where programs write it."""
    image.load()  # the block may come after the pixels
    stated = None
    with suppress(Exception):  # a damaged block raises any exception, and counts as upright
        stated = image.getexif().get(orientation.TAG)
    return stated if isinstance(stated, int) else orientation.UPRIGHT


def stored_orientation(path: Path) -> int:
    """The orientation of the first image in a PNG or TIFF file; upright if it is unknown, or the file is unreadable."""
    stated = None
    with suppress(BonescintError), refusing(path):  # reading the image reports the problem
        content = read_whole(path)
        if content.startswith(PNG_START):
            png_header(path, content)
            with metered(path, content) as stream, Image.open(stream, formats=("PNG",)) as image:
                return png_orientation(image)
        if content.startswith(TIFF_START):
            require_sound_tiff(path, content)
            with metered(path, content) as stream, tifffile.TiffFile(stream, _multifile=False) as tiff:
                stated = tiff.pages.first.tags.valueof(orientation.TAG)
    return stated if isinstance(stated, int) else orientation.UPRIGHT


def _read_png(path: Path, content: bytes) -> tuple[NDArray[np.generic], list[str]]:
    depth, colour = png_header(path, content)
    if depth == 1:
        raise NotAPlanarScan(path, "The image is black and white, so it is a mask and no scan.")
    if depth == 16 and colour != _PNG_GREY:
        raise Refusal(path, "The image is a 16-bit PNG in colour; save it as 16-bit grey.")
    try:
        with opened_png(path, content) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise NotAPlanarScan(path, "The image is animated; only still images can be segmented.")
            stored = png_orientation(image)
            pixels = np.asarray(image.convert("RGBA") if image.mode == "P" else image)
    except Refusal:
        raise
    except Exception as error:  # Pillow's decoders may raise any exception
        raise Refusal(path, DAMAGED) from error
    plane, warnings = one_channel(path, orientation.turned(pixels, stored))
    return plane[np.newaxis], [*warnings, *orientation.orientation_warnings(stored)]


def _read_tiff(path: Path, content: bytes) -> tuple[NDArray[np.generic], Spacing | None, list[str]]:
    read = read_tiff_planes(path, content, kind="scan")
    planes: list[NDArray[np.generic]] = []
    warnings: list[str] = [_LOSSY] if read.is_lossy else []
    for plane in read.planes:
        pixels, channel_warnings = one_channel(path, _greys(path, plane))
        if pixels.dtype.kind not in "uif":
            kind = f"pixels of type {pixels.dtype}"
            raise NotAPlanarScan(path, f"The image has {kind}; only grey images can be segmented.")
        planes.append(pixels)
        warnings += [*channel_warnings, *orientation.orientation_warnings(plane.orientation)]
        if plane.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
            meant = "The image is meant to be shown inverted (white is zero); its values were taken as counts."
            warnings.append(Notice(meant, Remedy.INVERT))
    # Two pages usually have the same warnings.
    return np.stack(planes), read.spacing, list(dict.fromkeys(warnings))


def _greys(path: Path, plane: Plane) -> NDArray[np.generic]:
    """The pixels of a page, or the colours of their palette."""
    grey = plane.photometric in {tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE}
    colours = plane.photometric in {tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR}
    if grey or (colours and plane.pixels.ndim == 3):
        return plane.pixels
    if plane.photometric == tifffile.PHOTOMETRIC.PALETTE and plane.palette is not None:
        palette = plane.palette
        # Most palettes hold 8 bits, in the upper byte or in both; old ones in the lower byte.
        if (palette % 257 == 0).all() or (palette % 256 == 0).all():
            palette = (palette // 256).astype(np.uint8)
        return np.take(palette, plane.pixels.astype(np.intp), axis=0)
    raise NotAPlanarScan(path, _IN_COLOUR)


def one_channel(path: Path, pixels: NDArray[np.generic]) -> tuple[NDArray[np.generic], list[str]]:
    """Make pixels (y, x) or (y, x, channel) a grey plane (y, x), with a warning; colours are a `NotAPlanarScan`."""
    warnings = []
    if pixels.ndim == 3:
        channels = pixels.shape[-1]
        colours = pixels[..., : 3 if channels >= 3 else 1]
        if (colours != colours[..., :1]).any():
            raise NotAPlanarScan(path, _IN_COLOUR)
        if channels in (2, 4) and (pixels[..., -1] != pixels[0, 0, -1]).any():
            raise NotAPlanarScan(path, "The image is partly transparent; save it as plain grey.")
        pixels = colours[..., 0]
        warnings.append(_EQUAL_CHANNELS)
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("=")), warnings


def looks_inverted(planes: NDArray[np.generic]) -> bool:
    """True if the border of the image, which shows no body, is nearer to the brightest than to the darkest value."""
    border = np.concatenate([planes[:, (0, -1)].ravel(), planes[:, :, (0, -1)].ravel()])
    return bool(np.median(border) > (float(planes.min()) + float(planes.max())) / 2)
