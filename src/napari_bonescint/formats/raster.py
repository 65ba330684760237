"""Reading PNG and TIFF pictures of scans. They name no view and no spacing that can be trusted: the caller does."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np
import tifffile
from PIL import Image, ImageSequence

from napari_bonescint.formats.plausibility import require_counts, require_possible_size, without_blank_views
from napari_bonescint.formats.refusal import DAMAGED, NotAPlanarScan, Refusal
from napari_bonescint.formats.source_file import quiet, read_whole, sha256
from napari_bonescint.rearranging import name_views, with_spacing
from napari_bonescint.scan import NO_SPACING, VIEW_ASSUMED, VIEWS_ASSUMED, Scan, View, ViewName, ViewSource

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

PNG_START = b"\x89PNG\r\n\x1a\n"
TIFF_START = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_PNG_GREY = 0
_IN_COLOUR = "The image is in colour; only grey images can be segmented."
_EQUAL_CHANNELS = "The image is stored in colour, with equal channels; one of them was taken as counts."


def looks_like_raster(start: bytes) -> bool:
    """Whether the first bytes of a file are those of PNG or TIFF."""
    return start.startswith((PNG_START, *TIFF_START))


def read_raster(path: Path, *, view: ViewName | None = None, spacing: Spacing | None = None) -> Scan:
    """Read a grey PNG or TIFF of one view, or a TIFF of two.

    Parameters
    ----------
    path : Path
        A file whose pixels grow with the counts, in 8 or 16 bits (TIFF: any integer or floating-point number).
    view : ViewName, optional
        What the image shows, or of two the first; without it, anterior is assumed, recorded as such and warned about.
    spacing : (float, float), optional
        Pixel spacing (y, x) in mm.

    Returns
    -------
    Scan
        Pixel values as stored, anterior first.

    Raises
    ------
    Refusal
        If the file is damaged, in colour, has more than two pages, or shows no counts.
    """
    content = read_whole(path)
    with quiet():
        if content.startswith(PNG_START):
            planes, warnings = _read_png(path, content)
        elif content.startswith(TIFF_START):
            planes, warnings = _read_tiff(path, content)
        else:
            raise NotAPlanarScan(path, "The file is neither PNG nor TIFF.")
    require_possible_size(path, *planes.shape[1:])
    require_counts(path, planes)
    if looks_inverted(planes):
        warnings.append("The background is brighter than the body; if dark means uptake here, invert the image first.")

    names = (ViewName.ANTERIOR, ViewName.POSTERIOR)[: len(planes)]
    scan = Scan(
        counts=planes,
        views=tuple(View(name, ViewSource.ASSUMED) for name in names),
        spacing=None,
        acquisition={"matrix": f"{planes.shape[1]}x{planes.shape[2]}"},
        sources=(path,),
        source_sha256=sha256(content),
        warnings=(*warnings, VIEW_ASSUMED if len(names) == 1 else VIEWS_ASSUMED, NO_SPACING),
    )
    scan = scan if view is None else name_views(scan, view)
    scan = scan if spacing is None else with_spacing(scan, spacing)
    return without_blank_views(scan)


def png_header(path: Path, content: bytes) -> tuple[int, int]:
    """Bits a channel and kind of colour of a PNG, which states a size that is possible."""
    try:
        width, height, depth, colour = struct.unpack(">IIBB", content[16:26])
    except struct.error as error:
        raise Refusal(path, DAMAGED) from error
    require_possible_size(path, height, width)
    return depth, colour


def verify_png(content: bytes) -> None:
    """Raise whatever Pillow does if a bit flipped: decoding alone looks at no checksum after the last row."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
        image.verify()


def _read_png(path: Path, content: bytes) -> tuple[NDArray[np.generic], list[str]]:
    depth, colour = png_header(path, content)
    if depth == 1:
        raise NotAPlanarScan(path, "The image is black and white, without greys; a mask is no scan.")
    if depth == 16 and colour != _PNG_GREY:
        raise Refusal(path, "The image is a 16-bit PNG in colour; save it as 16-bit grey.")
    try:
        verify_png(content)
        with Image.open(io.BytesIO(content)) as image:
            if getattr(image, "n_frames", 1) > 1:
                raise NotAPlanarScan(path, "The image is animated; only still images can be segmented.")
            pixels = np.asarray(image.convert("RGBA") if image.mode == "P" else image)
    except Refusal:
        raise
    except Exception as error:  # Pillow raises whatever its decoders trip over
        raise Refusal(path, DAMAGED) from error
    return _one_channel(path, pixels[np.newaxis])


def _read_tiff(path: Path, content: bytes) -> tuple[NDArray[np.generic], list[str]]:
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            _require_two_grey_pages(path, tiff)
            if not _is_whole(tiff, content):
                raise Refusal(path, DAMAGED)
            page = tiff.pages.first
            try:
                pixels, axes = tiff.series[0].asarray(), tiff.series[0].axes
            except ValueError:
                # Compressions such as LZW, for which tifffile wants another package, Pillow can read.
                pixels, axes = _decode_with_pillow(content), "QYX" + "S" * (page.samplesperpixel > 1)
            inverted = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    except Refusal:
        raise
    except Exception as error:  # tifffile raises whatever its parser trips over
        raise Refusal(path, DAMAGED) from error
    if pixels.size == 0:
        raise Refusal(path, DAMAGED)
    if "S" in axes:
        pixels = np.moveaxis(pixels, axes.index("S"), -1)
        pixels = pixels.reshape(-1, *pixels.shape[-3:])
    else:
        pixels = pixels.reshape(-1, *pixels.shape[-2:])
    planes, warnings = _one_channel(path, pixels)
    if planes.dtype.kind not in "uif":
        raise NotAPlanarScan(path, f"The image has pixels of type {planes.dtype}; only grey images can be segmented.")
    if inverted:
        warnings.append("The image is meant to be shown inverted (white is zero); its values were taken as counts.")
    return planes, warnings


def _require_two_grey_pages(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse, before anything is decoded, what no scan of one or two views can be."""
    page = tiff.pages.first
    require_possible_size(path, page.imagelength, page.imagewidth)
    series = tiff.series[0]
    views = series.size // (page.imagelength * page.imagewidth * page.samplesperpixel)
    if len(tiff.series) > 1 or views > 2:
        pages = max(views, len(tiff.pages))
        raise NotAPlanarScan(
            path, f"The file has {pages} pages; a scan has one for each view, of one size, at most two."
        )
    if page.photometric not in {
        tifffile.PHOTOMETRIC.MINISBLACK,
        tifffile.PHOTOMETRIC.MINISWHITE,
        tifffile.PHOTOMETRIC.RGB,
    }:
        raise NotAPlanarScan(path, _IN_COLOUR)


def _is_whole(tiff: tifffile.TiffFile, content: bytes) -> bool:
    """Whether all pixels are in the file, and all pages; tifffile drops pages that lie beyond the end."""
    for page in tiff.pages:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset + count > len(content):
                return False
    # A page's list of tags (TIFF 6.0, section 2) ends with the offset of the next page, which is 0 for the last one.
    layout, last = tiff.tiff, tiff.pages[len(tiff.pages) - 1]
    (tags,) = struct.unpack_from(layout.tagnoformat, content, last.offset)
    end = last.offset + layout.tagnosize + tags * layout.tagsize
    (following,) = struct.unpack_from(layout.offsetformat, content, end)
    return bool(following == 0)


def _decode_with_pillow(content: bytes) -> NDArray[np.generic]:
    with Image.open(io.BytesIO(content)) as image:
        return np.stack([np.asarray(frame.copy()) for frame in ImageSequence.Iterator(image)])


def _one_channel(path: Path, pixels: NDArray[np.generic]) -> tuple[NDArray[np.generic], list[str]]:
    """Grey planes (view, y, x) of pixels (view, y, x) or (view, y, x, channel), if all colour channels are equal."""
    warnings = []
    if pixels.ndim == 4:
        channels = pixels.shape[-1]
        colours = pixels[..., : 3 if channels >= 3 else 1]
        if (colours != colours[..., :1]).any():
            raise NotAPlanarScan(path, _IN_COLOUR)
        if channels in (2, 4) and (pixels[..., -1] != pixels[0, 0, 0, -1]).any():
            raise NotAPlanarScan(path, "The image is partly transparent; save it as plain grey.")
        pixels = colours[..., 0]
        warnings.append(_EQUAL_CHANNELS)
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("=")), warnings


def looks_inverted(planes: NDArray[np.generic]) -> bool:
    """Whether the border of the image, where no body is, is nearer to the brightest than to the darkest."""
    border = np.concatenate([planes[:, (0, -1)].ravel(), planes[:, :, (0, -1)].ravel()])
    return bool(np.median(border) > (float(planes.min()) + float(planes.max())) / 2)
