"""Convert scans to image layers, and image layers to scans."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_bonescint.display import contrast_limits
from napari_bonescint.formats.pictures.orientation import is_upright
from napari_bonescint.formats.pictures.raster import INVERTED, looks_inverted, stored_orientation
from napari_bonescint.formats.safe_reading.plausibility import require_counts, require_possible_size
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.gui.placement import corners, is_sheared, pixel_sides
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import Scan, View, ViewName, ViewSource, exceeds_opposite, spacing_problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Labels, Layer
    from numpy.typing import NDArray

    from napari_bonescint.display import Window
    from napari_bonescint.scan import Spacing

KEY = "bonescint"
"""Key of this plugin's entry in a layer's metadata."""
AID = "aid"
"""Entry of overlay layers."""
PLACE = ("scale", "translate", "units", "axis_labels")
"""Attributes that place a layer of `scans_to_layers`."""

OUR_READER = "napari-bonescint"
"""napari's name for the reader of this plugin."""

PICTURES = (".png", ".tif", ".tiff")
"""File name endings of pictures, which napari's own readers open."""

LayerTuple = tuple[Any, dict[str, Any], str]
Span = tuple[float, float]
"""Left and right end of a view, in mm (in pixels if their size is not known)."""

# Gap between two views, relative to the width of a view.
_GAP = 0.15
_SHEARED = Notice(
    "The layer is sheared, so its pixels have no size in mm; set its shear to 0 to get sizes.", Remedy.STRAIGHTEN
)


@dataclass(frozen=True)
class ViewFacts:
    """The scan and the view that an image layer shows.

    Attributes
    ----------
    scan : Scan
        The scan as it was read; the same object in all layers of a scan. It has no file names, because paths often
        contain a patient's name, and napari may save or show the metadata of layers.
    view : View
        The view, as the file or the user names it.
    confirmed : bool
        Whether the user chose the view, even if it is the file's.
    title : str
        Name of the scan in this window, after its file; it names no patient.
    """

    scan: Scan
    view: View
    confirmed: bool = False
    title: str = ""


def scans_to_layers(
    scans: Iterable[Scan],
    taken: Sequence[Span] = (),
    windows: Iterable[Window] | None = None,
    titles: Iterable[str] | None = None,
) -> list[LayerTuple]:
    """Layers for napari: for each scan one image per view, anterior left.

    A single posterior view leaves room for the anterior one, which may come from another file.

    Parameters
    ----------
    scans : iterable of Scan
    taken : sequence of (float, float)
        Spans of the open views, see `spans_of`.
    windows : iterable of (float, float), optional
        Contrast limits of each view of each scan, if they are known; computed otherwise.
    titles : iterable of str, optional
        Name of each scan, which begins the names of its layers; by default that of its file. `titles` in `titles.py`
        makes names that are free and name no patient.
    """
    known = None if windows is None else iter(windows)
    scans = list(scans)
    names = [scan.name for scan in scans] if titles is None else titles
    layers: list[LayerTuple] = []
    spans = list(taken)
    for scan, title in zip((replace(scan, sources=()) for scan in scans), names, strict=True):
        _, width = scan.counts.shape[1:]
        scale = scan.spacing or (1.0, 1.0)
        step = (1 + _GAP) * width * scale[1]
        starts = [step if view.name is ViewName.POSTERIOR else 0.0 for view in scan.views]
        wanted = [(start, start + width * scale[1]) for start in starts]
        left = first_free(wanted, spans)
        spans += [(left + begin, left + end) for begin, end in wanted]
        for counts, view, start in zip(scan.counts, scan.views, starts, strict=True):
            attributes = {
                "name": view_title(title, view.name),
                "translate": (0.0, left + start),
                "scale": scale,
                "colormap": "gray_r",
                "contrast_limits": contrast_limits(counts) if known is None else next(known),
                "metadata": {KEY: ViewFacts(scan, view, title=title)},
                **_coordinates(scan.spacing is not None),
            }
            layers.append((counts, attributes, "image"))
    return layers


def view_title(title: str, view: ViewName) -> str:
    """Name of the layer of a view: the scan's title, then the view."""
    return f"{title} {view}"


def spans_of(layers: Iterable[Layer]) -> list[Span]:
    """Spans of the layers that show views of scans."""
    return [span_of(layer) for layer in layers if isinstance(layer.metadata.get(KEY), ViewFacts)]


def span_of(image: Layer) -> Span:
    """Left and right end of an image."""
    across = corners(image)[:, -1]
    return float(across.min()), float(across.max())


def facts_of(image: Image) -> ViewFacts:
    """The scan and view of an image layer; an image from another reader is taken as an anterior view.

    The scan of such an image has its shape but no counts, because reading them could compute a whole lazy image.
    """
    facts = image.metadata.get(KEY)
    if isinstance(facts, ViewFacts):
        return facts
    view = View(ViewName.ANTERIOR, ViewSource.ASSUMED)
    blank = np.broadcast_to(np.zeros((), np.dtype(image.dtype)), (1, *image.data.shape))
    return ViewFacts(Scan(blank, (view,), _possible_spacing(image)), view, title=image.name)


def can_be_scan(layer: Layer) -> bool:
    """Whether a layer can be one view of a scan: a plain two-dimensional grey image, and no overlay."""
    return isinstance(layer, Image) and layer.metadata.get(KEY) != AID and why_unusable(layer) is None


def why_unusable(image: Image) -> Notice | None:
    """The reason why an image layer cannot be a view of a scan, with a remedy; None if it can be."""
    if image.rgb:
        return Notice("it is stored in colour; if it shows only greys, take it as grey", Remedy.TAKE_GREY)
    if image.multiscale:
        return Notice("it is multiscale; take its finest level", Remedy.TAKE_FINEST)
    if image.ndim != 2:
        if image.data.shape[-1] == 2:
            return Notice("it is stored with opacity; take it as grey", Remedy.TAKE_GREY)
        return Notice(f"it has {image.ndim} dimensions; if its frames are views, split it", Remedy.SPLIT_STACK)
    if np.dtype(image.dtype).kind not in "uif":
        return Notice(f"pixels of type {image.dtype} are no counts")
    stored = _left_out_orientation(image)
    if stored is not None:
        return Notice(
            f"its pixels are stored turned or mirrored (orientation {stored}), which napari's own reader ignores; "
            "open it upright",
            Remedy.OPEN_UPRIGHT,
        )
    return None


def _left_out_orientation(image: Image) -> int | None:
    """The orientation that a picture's file states and another reader ignored; None if there is none.

    A mask of such an image would not fit the image that our commands read from the same file.
    """
    path = image.source.path
    if path is None or image.source.reader_plugin == OUR_READER or not path.lower().endswith(PICTURES):
        return None
    stored = _stored_orientation(path)
    return None if is_upright(stored) else stored


@lru_cache(maxsize=64)
def _stored_orientation(path: str) -> int:
    return stored_orientation(Path(path))


def spacing_of(layer: Layer) -> Spacing | None:
    """Pixel spacing (y, x) in mm; None if the layer is in pixels or is sheared."""
    return pixel_sides(layer, "mm")


def lone_views(layers: Iterable[Layer], study: str) -> list[ViewName]:
    """The views of the single-view scans of a study among some layers; none if the study is not known."""
    facts = [layer.metadata.get(KEY) for layer in layers]
    return [
        each.view.name
        for each in facts
        if isinstance(each, ViewFacts) and study and each.scan.study == study and len(each.scan.views) == 1
    ]


def doubted(images: Sequence[Image]) -> list[Image]:
    """Images of single-view scans whose study has more scans of this view, unless the user has confirmed the view."""
    found = []
    for image in images:
        facts = facts_of(image)
        alone = lone_views(images, facts.scan.study)
        if len(facts.scan.views) == 1 and not facts.confirmed and exceeds_opposite(facts.view.name, alone):
            found.append(image)
    return found


def group_by_scan(images: Sequence[Image]) -> list[tuple[Image, ...]]:
    """Group images that are segmented together: the views of one scan, anterior first."""
    groups: list[list[Image]] = []
    for image in images:
        for group in groups:
            if _belong_together(group, image):
                group.append(image)
                break
        else:
            groups.append([image])
    return [tuple(sorted(group, key=lambda image: str(facts_of(image).view.name))) for group in groups]


def layers_to_scan(images: Sequence[Image]) -> Scan:
    """The scan that image layers show now.

    Parameters
    ----------
    images : sequence of Image
        One group of `group_by_scan`.

    Returns
    -------
    Scan
        With the warnings about pixels and shear only; the reader has shown all others.

    Raises
    ------
    Refusal
        If the pixels cannot be counts, or their size is impossible.
    """
    for image in images:
        require_possible_size(Path(image.name), *image.data.shape)
        if (spacing := spacing_of(image)) and (why := spacing_problem(spacing, image.data.shape)) is not None:
            raise Refusal(Path(image.name), f"A pixel spacing {why}; give the layer its true scale.")
    counts = np.stack([np.asarray(image.data) for image in images])
    require_counts(Path(images[0].name), counts)
    scan = facts_of(images[0]).scan
    doubtful = [] if scan.source_sha256 else [i for i in range(len(images)) if looks_inverted(counts[i : i + 1])]
    return replace(
        scan,
        counts=counts,
        views=tuple(facts_of(image).view for image in images),
        spacing=spacing_of(images[0]),
        warnings=(*(INVERTED.about(images[i].name) for i in doubtful), *shear_warnings(images)),
    )


def shear_warnings(images: Iterable[Image]) -> list[Notice]:
    """A warning for each sheared image, whose pixels have no size."""
    return [_SHEARED.about(image.name) for image in images if is_sheared(image)]


def put_pixels(layer: Image | Labels, pixels: NDArray[np.generic]) -> None:
    """Copy pixels into a layer.

    If shape and type stay the same, the layer keeps its array, because a new array makes napari measure the whole scene
    and build the layer's shaders again.
    """
    if layer.data.shape == pixels.shape and layer.data.dtype == pixels.dtype:
        layer.data[...] = pixels
        layer.refresh(extent=False)
    else:
        layer.data = pixels.copy()


def same_scan(images: Iterable[Layer], image: Image) -> list[Image]:
    """The layers that show a view of the same scan as `image`, itself included."""
    scan = facts_of(image).scan
    facts = ((other, other.metadata.get(KEY)) for other in images)
    return [other for other, own in facts if other is image or (isinstance(own, ViewFacts) and own.scan is scan)]


def first_free(wanted: Sequence[Span], taken: Sequence[Span]) -> float:
    """The smallest shift to the right that moves some spans beside all taken ones."""
    begin, end = wanted[0]
    gap = _GAP * (end - begin)
    candidates = [0.0, *sorted(end + gap for _, end in taken)]
    return next(
        left
        for left in candidates
        if all(left + end <= other[0] or other[1] <= left + begin for begin, end in wanted for other in taken)
    )


def places_from(views: Sequence[Image], taken: Sequence[Span]) -> list[float]:
    """Left ends at which views lie side by side and beside all taken spans; the first stays if there is room."""
    left, right = span_of(views[0])
    step = (1 + _GAP) * (right - left)
    wanted = [(left + i * step, left + i * step + right - left) for i in range(len(views))]
    shift = first_free(wanted, taken)
    return [shift + begin for begin, _ in wanted]


def _belong_together(group: Sequence[Image], image: Image) -> bool:
    first = group[0]
    return (
        facts_of(first).scan is facts_of(image).scan
        and first.data.shape == image.data.shape
        and _alike(spacing_of(first), spacing_of(image))
        and facts_of(image).view.name not in {facts_of(other).view.name for other in group}
    )


def _possible_spacing(image: Image) -> Spacing | None:
    spacing = spacing_of(image)
    return None if spacing is None or spacing_problem(spacing, image.data.shape) else spacing


def _alike(spacing: Spacing | None, other: Spacing | None) -> bool:
    """Whether two spacings are equal, up to the rounding of a turned layer."""
    if spacing is None or other is None:
        return spacing is other
    return np.allclose(spacing, other, rtol=1e-9)


def _coordinates(in_mm: bool) -> dict[str, Any]:
    unit = "mm" if in_mm else "pixel"
    return {"units": (unit, unit), "axis_labels": ("y", "x")}
