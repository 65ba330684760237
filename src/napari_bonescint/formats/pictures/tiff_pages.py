"""Read the pages of a TIFF file, for scans and masks, written by any program in any common compression.

A plane is a page (a directory with its own pixels), if the writer keeps to the standard. Two writers make one directory
for several consecutive planes: ImageJ for large stacks, and tifffile on request.
"""

from __future__ import annotations

import json
import math
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tifffile
from tifffile import COMPRESSION

from napari_bonescint.formats.pictures import orientation
from napari_bonescint.formats.pictures.codecs import ALL_PLANES, CodecMissing, decode_tiff
from napari_bonescint.formats.pictures.tiff_directories import require_sound_tiff
from napari_bonescint.formats.pictures.tiff_spacing import ome_pixels, spacing_of
from napari_bonescint.formats.safe_reading.budget import metered, require_pixels
from napari_bonescint.formats.safe_reading.decoder_process import DECODER, CannotDecode
from napari_bonescint.formats.safe_reading.plausibility import require_not_too_large
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, NotAPlanarScan, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from tifffile import TiffFile, TiffPage

    from napari_bonescint.scan import Spacing

TIFF_START = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First bytes of TIFF and BigTIFF files."""

_VIEWS = 2
# A scan's file may hold small previews beside its views.
_MOST_PAGES = 8
_LOSSY = {COMPRESSION.JPEG}
_READ = {
    COMPRESSION.NONE,
    COMPRESSION.LZW,
    COMPRESSION.PACKBITS,
    COMPRESSION.ADOBE_DEFLATE,
    COMPRESSION.DEFLATE,
    COMPRESSION.LZMA,
    COMPRESSION.ZSTD,
    COMPRESSION.CCITTRLE,
    COMPRESSION.CCITT_T4,
    COMPRESSION.CCITT_T6,
    *_LOSSY,
}
# `require_sound_tiff` has checked these compressions, so they can be decoded in this process.
_DECODED_HERE = {COMPRESSION.NONE, COMPRESSION.ADOBE_DEFLATE, COMPRESSION.DEFLATE}
# Bits of NewSubfileType: a smaller copy of another page, and a transparency mask of another page.
_NO_PLANE = 1 | 4


class Plane(NamedTuple):
    """One page in upright orientation: pixels (y, x) or (y, x, channel), and their meaning in `tifffile.PHOTOMETRIC`.

    `palette` (number, 3) has red, green and blue of each value. `orientation` is TIFF's number for the stored
    orientation.
    """

    pixels: NDArray[np.generic]
    photometric: int
    palette: NDArray[np.uint16] | None
    orientation: int


@dataclass(frozen=True)
class TiffPlanes:
    """The planes of a TIFF file, one or two of one size, with their pixel spacing (y, x) in mm if it is stated.

    `facts` are those that our writer added; `is_lossy` tells whether the compression altered pixels.
    """

    planes: tuple[Plane, ...]
    spacing: Spacing | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_lossy: bool = False


def read_tiff_planes(path: Path, content: bytes, *, kind: str) -> TiffPlanes:
    """Read the pages of a TIFF file that are planes of one or two views; `kind` (``scan`` or ``mask``) is for messages.

    A file that is damaged or cut off, compressed in an unsupported way, has pages of different sizes or more than two,
    or states more planes than it holds, is a `Refusal`.
    """
    try:
        require_sound_tiff(path, content)
        # A file of OME may name other files as its parts; they are not opened.
        with metered(path, content) as stream, tifffile.TiffFile(stream, _multifile=False) as tiff:
            pages = _planes_of(path, tiff, kind)
            for page in pages:
                require_not_too_large(path, page.imagelength, page.imagewidth)
                _require_readable(path, page, kind)
            if not _is_whole(tiff, pages, content):
                raise Refusal(path, DAMAGED)
            return _decode(path, content, tiff, pages, kind)
    except Refusal:
        raise
    except Exception as error:  # tifffile's parser may raise any exception
        raise Refusal(path, DAMAGED) from error


def _planes_of(path: Path, tiff: TiffFile, kind: str) -> list[TiffPage]:
    """The directories that hold planes, in their order."""
    count = len(tiff.pages)
    if count > _MOST_PAGES:
        raise _too_many(path, count, kind)
    # This comes before `tiff.series`, which makes tifffile read later pages without their own tags.
    pages = [page for page in tiff.pages if isinstance(page, tifffile.TiffPage)]
    pages = [page for page in pages if not page.subfiletype & _NO_PLANE] or pages[:1]
    if len(pages) > _VIEWS or len({(page.imagelength, page.imagewidth) for page in pages}) > 1:
        raise _too_many(path, len(pages), kind)
    if tiff.is_ome and len(pages) > 1:
        order = [page.index for series in tiff.series for page in series.pages if page is not None]
        by_index = {page.index: page for page in pages}
        pages = [by_index[index] for index in order] if sorted(order) == sorted(by_index) else pages
    return pages


def _too_many(path: Path, pages: int, kind: str) -> NotAPlanarScan:
    rule = f"a {kind} has one page for each view, of one size, at most two"
    return NotAPlanarScan(path, f"The file has {pages} pages; {rule}.")


def _require_readable(path: Path, page: TiffPage, kind: str) -> None:
    if page.compression not in _READ:
        name = COMPRESSION(page.compression).name if page.compression in set(COMPRESSION) else page.compression
        advice = "save the image uncompressed, or with LZW or Deflate"
        raise Refusal(path, f"The compression {name} is not supported; {advice}.")
    if page.compression in _LOSSY and kind == "mask":
        raise Refusal(path, "The mask is compressed as JPEG, which alters labels; save it uncompressed, or with LZW.")


def _is_whole(tiff: TiffFile, pages: Sequence[TiffPage], content: bytes) -> bool:
    """True if the file holds all pixels and all pages; tifffile drops pages that lie beyond the end."""
    for page in pages:
        if len(page.dataoffsets) < math.prod(page.chunked):
            return False
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset <= 0 or count <= 0 or offset + count > len(content):
                return False
    # A directory (TIFF 6.0, section 2) ends with the offset of the next page, which is 0 for the last one.
    layout, last = tiff.tiff, tiff.pages[len(tiff.pages) - 1]
    (tags,) = struct.unpack_from(layout.tagnoformat, content, last.offset)
    end = last.offset + layout.tagnosize + tags * layout.tagsize
    (following,) = struct.unpack_from(layout.offsetformat, content, end)
    return bool(following == 0)


def _decode(path: Path, content: bytes, tiff: TiffFile, pages: Sequence[TiffPage], kind: str) -> TiffPlanes:
    facts = _facts(pages[0])
    stored: list[tuple[TiffPage, NDArray[np.generic]]] = []
    stated = _stated_planes(tiff, pages)
    if stated > len(pages) == 1 and tiff.series[0].kind in {"imagej", "shaped"}:
        if stated > _VIEWS:
            raise _too_many(path, stated, kind)
        # One directory for consecutive planes.
        stack = _pixels(path, content, tiff.series[0], ALL_PLANES)
        stored = [(pages[0], plane) for plane in stack.reshape(-1, *_channels_last(pages[0].shape, pages[0].axes))]
    else:
        for page in pages:
            pixels = _pixels(path, content, page, page.index)
            depth = -3 if "S" in page.axes else -2
            stored += [(page, plane) for plane in pixels.reshape(-1, *pixels.shape[depth:])]
    if len(stored) > _VIEWS:
        raise _too_many(path, len(stored), kind)
    if stated > len(stored):
        numbers = f"states {stated} planes and holds {len(stored)}"
        raise Refusal(path, f"The file {numbers}; copy or export the whole file again.")
    if any(pixels.size == 0 for _, pixels in stored):
        raise Refusal(path, DAMAGED)

    planes = [_upright(page, pixels, stated=_orientation(page, pages[0], facts)) for page, pixels in stored]
    if len({plane.pixels.shape[:2] for plane in planes}) > 1:
        raise _too_many(path, len(planes), kind)
    spacing = spacing_of(pages[0], facts)
    if spacing is not None and orientation.exchanges_axes(planes[0].orientation):
        spacing = spacing[::-1]
    return TiffPlanes(tuple(planes), spacing, facts, any(page.compression in _LOSSY for page in pages))


def _pixels(path: Path, content: bytes, source: Any, number: int) -> NDArray[np.generic]:
    """Pixels of a page or series with the channels last; native decoders run in the child process."""
    keyframe = source.keyframe
    require_pixels(path, *source.shape, bytes_a_pixel=source.dtype.itemsize)
    if keyframe.compression in _DECODED_HERE:
        pixels = np.asarray(source.asarray())
    else:
        try:
            pixels = DECODER.decode(path, decode_tiff, content, pixels=math.prod(source.shape), page=number)
        except CannotDecode as error:
            name = COMPRESSION(keyframe.compression).name
            if str(error) == CodecMissing.__name__:
                reason = f"The compression {name} is not supported; update imagecodecs, or save the image with LZW."
                raise Refusal(path, reason) from error
            raise Refusal(path, DAMAGED) from error
    axes = source.axes
    # `asarray` leaves out axes of length 1.
    axes = axes if len(axes) == pixels.ndim else axes[len(axes) - pixels.ndim :]
    return np.moveaxis(pixels, axes.index("S"), -1) if "S" in axes else pixels


def _channels_last(shape: tuple[int, ...], axes: str) -> tuple[int, ...]:
    if "S" not in axes:
        return shape[-2:]
    channels = shape[axes.index("S")]
    return (*(side for side, axis in zip(shape, axes, strict=True) if axis in "YX"), channels)


def _upright(page: TiffPage, pixels: NDArray[np.generic], *, stated: int) -> Plane:
    palette = None
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        palette = np.asarray(page.colormap, np.uint16).reshape(3, -1).T
    return Plane(orientation.turned(pixels, stated), int(page.photometric), palette, stated)


def _orientation(page: TiffPage, first: TiffPage, facts: Mapping[str, Any]) -> int:
    """The orientation of a page; tifffile may write it only on the first page of an array."""
    tag = page.tags.get(orientation.TAG)
    if tag is None and "shape" in facts and not page.is_shaped:
        tag = first.tags.get(orientation.TAG)
    return tag.value if tag is not None and isinstance(tag.value, int) else orientation.UPRIGHT


def _facts(page: TiffPage) -> Mapping[str, Any]:
    described = page.shaped_description
    with suppress(ValueError, RecursionError):
        facts = json.loads(described or "")
        if isinstance(facts, dict):
            return facts
    return {}


def _stated_planes(tiff: TiffFile, pages: Sequence[TiffPage]) -> int:
    """Number of planes that the program's description states; 0 if there is no description."""
    first = pages[0]
    if tiff.is_ome:
        return sum(pixels.planes for pixels in ome_pixels(first.description))
    if first.imagej_description is not None and first.samplesperpixel == 1:
        return _stated_by_imagej(tiff.imagej_metadata or {})
    planes = 0
    for page in pages:
        shape = _facts(page).get("shape")
        if isinstance(shape, list) and all(isinstance(side, int) for side in shape):
            planes += math.prod(shape) // max(1, page.imagelength * page.imagewidth * page.samplesperpixel)
    return planes


def _stated_by_imagej(described: Mapping[str, Any]) -> int:
    axes = [described.get(name, 1) for name in ("channels", "slices", "frames")]
    stated = [described.get("images", 1), math.prod(axis for axis in axes if isinstance(axis, int))]
    return max(count for count in stated if isinstance(count, int))
