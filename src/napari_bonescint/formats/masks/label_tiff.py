"""Masks as TIFF: one compressed uint8 page for each view, with the pixel spacing, for any TIFF reader."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import tifffile

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.region_mapping import translate, whole_numbers
from napari_bonescint.formats.pictures.tiff_pages import TIFF_START, read_tiff_planes
from napari_bonescint.formats.pictures.tiff_spacing import SPACING_KEY
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.refusal import NO_LABELS, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_whole
from napari_bonescint.scan import View, ViewName, is_possible, turn_in

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.masks.region_mapping import RegionMapping
    from napari_bonescint.formats.pictures.tiff_pages import Plane
    from napari_bonescint.scan import Spacing

_MM_PER_CM = 10.0
_LABELS = {tifffile.PHOTOMETRIC.MINISBLACK, tifffile.PHOTOMETRIC.MINISWHITE, tifffile.PHOTOMETRIC.PALETTE}
_VIEWS_KEY = "views"
_NAMES_KEY = "names_regions"


class Labels(NamedTuple):
    """Masks of uint8, shape (view, y, x), and their pixel spacing (y, x) in mm or None."""

    masks: NDArray[np.uint8]
    spacing: Spacing | None


def write_labels(path: Path, masks: NDArray[np.uint8], spacing: Spacing | None) -> None:
    """Write masks of uint8, shape (view, y, x), with their pixel spacing (y, x) in mm, whole or not at all.

    A file that cannot be written raises `CannotWrite`.
    """
    write_bytes_atomically(path, encode_labels(masks, spacing))


def encode_labels(masks: NDArray[np.uint8], spacing: Spacing | None) -> bytes:
    """Encode masks of uint8, shape (view, y, x), as `write_labels` writes them."""
    if masks.dtype != np.uint8 or masks.ndim != 3:
        raise ValueError(f"masks of {masks.dtype} and shape {masks.shape} are not uint8 (view, y, x)")
    return encode_planes(masks, spacing)


def encode_mask_tiff(mask: Mask) -> bytes:
    """Encode a mask with the names of its views."""
    views = [None if view is None else _described(view) for view in mask.views]
    return encode_planes(mask.regions, mask.spacing, {_VIEWS_KEY: views, _NAMES_KEY: mask.names_regions})


@reader
def read_mask_tiff(path: Path, mapping: RegionMapping | None = None) -> Mask:
    """Read a mask that `encode_mask_tiff` encoded, or any TIFF of integers with one page for each view.

    `mapping` gives the regions of values that are not our codes; a value without a region raises `UnmappedLabels`. A
    file that is missing, damaged, or holds no masks is a `Refusal`.
    """
    labels, spacing, described = _read(path)
    labels = whole_numbers(path, labels)
    regions, names = translate(path, labels, mapping, names_regions=described.get(_NAMES_KEY))
    stated = spacing if spacing is not None and is_possible(spacing) else None
    return Mask(regions, _views(described, len(regions)), stated, names)


def encode_planes(
    planes: NDArray[np.generic], spacing: Spacing | None, facts: Mapping[str, object] | None = None
) -> bytes:
    """Encode planes (view, y, x) of any numbers, such as masks, counts or probabilities, as TIFF pages.

    The pixel spacing (y, x) in mm goes into the resolution tags and, exactly, into the description. `facts` are added
    to the description as JSON.
    """
    metadata: dict[str, object] = {"axes": "QYX", **(facts or {})}
    resolution = None
    if spacing is not None:
        metadata[SPACING_KEY] = list(spacing)
        resolution = (_MM_PER_CM / spacing[1], _MM_PER_CM / spacing[0])
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer,
        planes,
        photometric="minisblack",
        compression="zlib",
        metadata=metadata,
        resolution=resolution,
        resolutionunit="NONE" if resolution is None else "CENTIMETER",
        software="napari-bonescint",
    )
    return buffer.getvalue()


@reader
def read_labels(path: Path) -> Labels:
    """Read masks that `write_labels` wrote, or any TIFF of uint8 with one page for each view.

    A file that is missing or damaged, or holds no masks, is a `Refusal`.
    """
    masks, spacing, _ = _read(path)
    if masks.dtype != np.uint8:
        raise Refusal(path, f"The file holds {masks.dtype} of shape {masks.shape}, not uint8 masks (view, y, x).")
    return Labels(masks.astype(np.uint8, copy=False), spacing)


@reader
def read_numbered(path: Path) -> NDArray[np.uint16]:
    """Read numbered objects, shape (view, y, x), from a TIFF of unsigned integers with one page for each view.

    A file that is missing or damaged, or holds anything else, is a `Refusal`.
    """
    numbers, _, _ = _read(path)
    if numbers.dtype.kind != "u" or numbers.dtype.itemsize > 2:
        raise Refusal(path, f"The file holds {numbers.dtype} of shape {numbers.shape}, not numbered objects in uint16.")
    return numbers.astype(np.uint16, copy=False)


def _read(path: Path) -> tuple[NDArray[np.generic], Spacing | None, Mapping[str, object]]:
    """Pages (view, y, x) of any type, their spacing, and our writer's description."""
    content = read_whole(path)
    if not content.startswith(TIFF_START):
        raise Refusal(path, "The file is no TIFF; masks are read from TIFF, PNG, NIfTI and DICOM SEG files.")
    read = read_tiff_planes(path, content, kind="mask")
    for plane in read.planes:
        if plane.pixels.ndim != 2 or plane.photometric not in _LABELS:
            raise Refusal(path, NO_LABELS)
    return np.stack([_labels(plane) for plane in read.planes]), read.spacing, read.facts


def _labels(plane: Plane) -> NDArray[np.generic]:
    """The pixels of a page; in a black and white page, white is bone."""
    black_on_white = plane.pixels.dtype == np.bool_ and plane.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    return np.logical_not(plane.pixels) if black_on_white else plane.pixels


def _views(described: Mapping[str, object], count: int) -> tuple[View | None, ...]:
    stated = described.get(_VIEWS_KEY)
    if not isinstance(stated, list) or len(stated) != count:
        return (None,) * count
    names = {name.value for name in ViewName}
    return tuple(
        View(ViewName(each["name"]), flipped=each.get("flipped") is True, turned=turn_in(each))
        if isinstance(each, dict) and each.get("name") in names
        else None
        for each in stated
    )


def _described(view: View) -> dict[str, object]:
    facts: dict[str, object] = {"name": view.name, "flipped": view.flipped}
    return {**facts, "turned": view.turned} if view.turned else facts
