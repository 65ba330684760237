"""Masks and counts as NIfTI-1: one file for each view, since two views have different orientations.

Voxel axes are (x, y, depth), with one plane in depth. In images as acquired, the voxel axes of an anterior view run to
the patient's left, to the feet and to the back (nibabel's codes L, I, P); those of a posterior view run to the right,
to the feet and to the front (R, I, A). The file's affine states this, so viewers show the sides correctly. A projection
has no position in depth and no thickness: 0 and 1 stand for them. Without a known pixel spacing, the file's unit is
"unknown" and its pixels count as 1.

A comment extension holds the facts without a field in NIfTI: a mirrored or turned view, and the spacing in double
precision.
"""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Extension, Nifti1Header, Nifti1Image

from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.formats.masks.mask import Mask
from napari_bonescint.formats.masks.region_mapping import translate, whole_numbers
from napari_bonescint.formats.safe_reading.budget import OverBudget, gunzipped, metered, require_pixels
from napari_bonescint.formats.safe_reading.guarded import reader
from napari_bonescint.formats.safe_reading.plausibility import require_possible_size
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start, read_whole
from napari_bonescint.scan import View, ViewName, is_possible, turn_in

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.formats.masks.region_mapping import RegionMapping
    from napari_bonescint.scan import Spacing

# nibabel's codes: the direction of each voxel axis.
_AXES = {ViewName.ANTERIOR: ("L", "I", "P"), ViewName.POSTERIOR: ("R", "I", "A")}
_DIRECTIONS = {"L": (0, -1), "R": (0, 1), "P": (1, -1), "A": (1, 1), "I": (2, -1), "S": (2, 1)}
_MM_PER_UNIT = {"mm": 1.0, "micron": 1e-3, "meter": 1e3}
_LABEL_INTENT = "label"
_COMMENT = "comment"
_SCANNER = 1
_GZIP = b"\x1f\x8b"
_HOLDS, _COUNTS = "holds", "counts"


def write_mask_nifti(path: Path, mask: Mask) -> None:
    """Write the mask of one view, whole or not at all; a path that ends in ``.gz`` makes a compressed file.

    The file states the orientation if the view is known. A file that cannot be written raises `CannotWrite`.
    """
    content = encode_mask_nifti(mask)
    write_bytes_atomically(path, gzip.compress(content, mtime=0) if path.suffix.lower() == ".gz" else content)


def encode_mask_nifti(mask: Mask) -> bytes:
    """Encode the mask of one view, as `write_mask_nifti` writes it without compression."""
    if len(mask.regions) != 1:
        raise ValueError(f"one NIfTI file holds one view, not {len(mask.regions)}")
    (view,), (plane,) = mask.views, mask.regions
    facts = {"names_regions": mask.names_regions}
    name = "bone regions" if mask.names_regions else "bone"
    return _encode(plane, view, mask.spacing, (_LABEL_INTENT, name), facts)


def encode_counts_nifti(counts: NDArray[np.generic], view: View, spacing: Spacing | None) -> bytes:
    """Encode the counts (y, x) of one view in the orientation of its mask; spacing (y, x) is in mm.

    Counts keep their values. Types that few programs read become int32, float32 or float64.
    """
    return _encode(_common(counts), view, spacing, ("none", _COUNTS), {_HOLDS: _COUNTS})


def _encode(
    plane: NDArray[np.generic],
    view: View | None,
    spacing: Spacing | None,
    intent: tuple[str, str],
    facts: Mapping[str, object],
) -> bytes:
    """Encode the pixels (y, x) of a view, with a NIfTI intent (code, name) and facts for the comment."""
    y, x = spacing or (1.0, 1.0)
    affine = np.diag([x, y, 1.0, 1.0]) if view is None else _affine(view.name, (y, x))
    image = Nifti1Image(np.ascontiguousarray(plane.T[:, :, np.newaxis]), affine)
    header = image.header
    header.set_xyzt_units("mm" if spacing is not None else "unknown")
    code, name = intent
    header.set_intent(code, name=name)
    header["descrip"] = "napari-bonescint"
    frame = 0 if view is None else _SCANNER
    image.set_sform(affine, frame)
    image.set_qform(affine, frame)
    said = {
        "view": None if view is None else view.name,
        "flipped": view is not None and view.flipped,
        **({} if view is None or not view.turned else {"turned": view.turned}),
        **facts,
        "spacing_mm": spacing,
    }
    header.extensions.append(Nifti1Extension(_COMMENT, json.dumps(said).encode()))
    return image.to_bytes()


def _common(counts: NDArray[np.generic]) -> NDArray[np.generic]:
    """Counts in a type that NIfTI programs read, with the same values."""
    if counts.dtype.kind == "f":
        return counts.astype(np.float32 if counts.dtype.itemsize <= 4 else np.float64, copy=False)
    if counts.dtype.itemsize < 8 and counts.dtype != np.uint32:
        return counts
    fits = counts.max(initial=0) <= np.iinfo(np.int32).max
    return counts.astype(np.int32 if fits else np.float64)


@reader
def read_mask_nifti(path: Path, mapping: RegionMapping | None = None) -> Mask:
    """Read a mask that `write_mask_nifti` wrote, or another with the same voxel axes or without an orientation.

    The file may be compressed, and holds one or two planes. Without an orientation, the first axis runs along the rows
    of the image and the second one down. `mapping` gives the regions of values that are not our codes; a value without
    a region raises `UnmappedLabels`. A file that is missing, damaged, no NIfTI, or of an orientation that no acquired
    view has, is a `Refusal`.
    """
    image = _parse(path, read_whole(path))
    facts = _facts(image)
    if facts.get(_HOLDS) == _COUNTS:
        raise Refusal(path, "The file holds the counts of a view and no mask; open the scan's own file instead.")
    labels = _planes(path, image)
    view = _view(path, image, facts)
    if view is not None and len(labels) != 1:
        raise Refusal(path, f"The file states one orientation for {len(labels)} planes; give one file for each view.")
    regions, names = translate(path, labels, mapping, names_regions=facts.get("names_regions"))
    return Mask(regions, (view,) * len(regions), _spacing(image, facts), names)


def is_planar_nifti(path: Path) -> bool:
    """True if a NIfTI file has the shape of a mask of one or two views; only its header is read.

    A missing or unreadable file is a `Refusal`.
    """
    start = read_start(path)
    try:
        with gzip.open(path) if start.startswith(_GZIP) else path.open("rb") as file:
            header = Nifti1Header.from_fileobj(cast("io.IOBase", file), check=False)
            shape = header.get_data_shape()
    except Exception:  # nibabel and zlib may raise any exception
        return False
    return _is_planar(shape)


def _is_planar(stated: Sequence[int]) -> bool:
    # Trailing axes of length 1 have no meaning.
    shape = stated[:3] if set(stated[3:]) <= {1} else stated
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 2))


def _affine(view: ViewName, spacing: Spacing) -> NDArray[np.float64]:
    """Matrix from voxel to patient (mm to the right, to the front, upwards); the first voxel's middle is the origin."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (letter, step) in enumerate(zip(_AXES[view], (spacing[1], spacing[0], 1.0), strict=True)):
        row, sign = _DIRECTIONS[letter]
        affine[row, axis] = sign * step
    return affine


def _parse(path: Path, content: bytes) -> Nifti1Image:
    try:
        if content.startswith(_GZIP):
            content = gunzipped(path, content)
        with _unlogged(), metered(path, content) as stream:
            return Nifti1Image.from_stream(cast("io.IOBase", stream))
    except OverBudget:
        raise
    except Exception as error:  # nibabel and zlib may raise any exception
        raise Refusal(path, "The file is no NIfTI-1 file, or it is damaged; export the mask again.") from error


@contextmanager
def _unlogged() -> Iterator[None]:
    """Keep nibabel's log about odd headers from the terminal."""
    before, nibabel.imageglobals.logger.disabled = nibabel.imageglobals.logger.disabled, True
    try:
        yield
    finally:
        nibabel.imageglobals.logger.disabled = before


def _planes(path: Path, image: Nifti1Image) -> NDArray[np.int64]:
    """Labels (view, y, x)."""
    stated = image.shape
    shape = stated[:3]
    if not _is_planar(stated):
        raise Refusal(path, f"The file has the shape {stated}; the mask of a view has the shape (x, y, 1).")
    require_possible_size(path, shape[1], shape[0])
    require_pixels(path, *shape, bytes_a_pixel=image.get_data_dtype().itemsize)
    try:
        values = np.asanyarray(image.dataobj).reshape(shape)
    except Exception as error:  # nibabel may raise any exception
        raise Refusal(path, DAMAGED) from error
    labels = whole_numbers(path, values)
    planes = labels[:, :, np.newaxis] if labels.ndim == 2 else labels
    return planes.transpose(2, 1, 0)


def _facts(image: Nifti1Image) -> Mapping[str, Any]:
    """The facts that our writer added; none in other programs' files."""
    for extension in image.header.extensions:
        if extension.get_code() == nibabel.nifti1.extension_codes[_COMMENT]:
            try:
                facts = json.loads(extension.get_content())
            except ValueError:
                continue
            if isinstance(facts, dict) and not facts.keys().isdisjoint(("names_regions", _HOLDS)):
                return facts
    return {}


def _view(path: Path, image: Nifti1Image, facts: Mapping[str, Any]) -> View | None:
    if not (image.header["sform_code"] or image.header["qform_code"]):
        return None
    axes = nibabel.aff2axcodes(image.affine)
    for name, expected in _AXES.items():
        if axes == expected:
            own = facts if facts.get("view") == name else {}
            return View(name, flipped=own.get("flipped") is True, turned=turn_in(own))
    known = " or ".join(f"{''.join(expected)} ({name})" for name, expected in _AXES.items())
    axes_text = "".join(axis or "?" for axis in axes)
    raise Refusal(path, f"The voxel axes run to {axes_text}; turn them to {known}, the orientation as acquired.")


def _spacing(image: Nifti1Image, facts: Mapping[str, Any]) -> Spacing | None:
    try:
        unit = image.header.get_xyzt_units()[0]
    except KeyError:  # an unknown unit
        return None
    if unit not in _MM_PER_UNIT:
        return None
    x, y = (float(zoom) * _MM_PER_UNIT[unit] for zoom in image.header.get_zooms()[:2])
    stated = facts.get("spacing_mm")
    # Another program may have changed the pixels and kept the comment.
    if isinstance(stated, list) and len(stated) == 2 and np.allclose(stated, (y, x), rtol=1e-5):
        return float(stated[0]), float(stated[1])
    return (y, x) if is_possible((y, x)) else None
