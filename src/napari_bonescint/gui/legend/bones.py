"""The bones in the labels of a scan: names, colours, areas, and whether they are shown.

A bone is hidden by its colour alone, so masks always hold all bones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_bonescint.gui.layers.labels import all_labels_of, image_of, legend, names_regions_of
from napari_bonescint.gui.layers.scans import can_be_scan, facts_of, same_scan, spacing_of
from napari_bonescint.gui.placement import world

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from napari.layers import Image, Layer
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelledView:
    """A view of a scan with its labels layer."""

    image: Image
    labels: Labels

    @property
    def name(self) -> str:
        """``anterior`` or ``posterior``."""
        return str(facts_of(self.image).view.name)


@dataclass(frozen=True)
class Bone:
    """One row of the legend.

    Attributes
    ----------
    code : int
        Its label.
    name : str
    colour : str
        ``#rrggbb``, also while the bone is hidden.
    is_shown : bool
    areas : tuple of float
        For each view, in the unit of the legend; 0 if the view does not show the bone.
    """

    code: int
    name: str
    colour: str
    is_shown: bool
    areas: tuple[float, ...]


@dataclass(frozen=True)
class Legend:
    """The bones in the labels of one scan; `unit` is that of the areas, ``mm²`` or ``pixels``."""

    views: tuple[LabelledView, ...]
    unit: str
    bones: tuple[Bone, ...]


def labelled_views(layers: Iterable[Layer], active: Layer | None) -> tuple[LabelledView, ...]:
    """The views of the scan of a layer with labels of one kind: those of the layer, or else the topmost ones.

    Without a layer of a scan, the scan that lies topmost is taken.
    """
    layers = list(layers)
    images = [layer for layer in layers if can_be_scan(layer)]
    kinds = [layer for layer in layers if isinstance(layer, Labels) and has_names(layer)]
    for chosen in [active, *reversed(images)]:
        image = _image_of(images, chosen)
        if image is None:
            continue
        views = sorted(same_scan(images, image), key=lambda view: str(facts_of(view).view.name))
        found = {view: [each for each in all_labels_of(layers, view) if each in kinds] for view in views}
        topmost = max((each for labels in found.values() for each in labels), key=layers.index, default=None)
        pattern = chosen if isinstance(chosen, Labels) and chosen in kinds else topmost
        if pattern is None:
            continue
        alike = {
            view: [each for each in labels if names_regions_of(each) is names_regions_of(pattern)]
            for view, labels in found.items()
        }
        # With several masks of each view, the first of one belongs to the first of the other.
        rank = next(labels.index(pattern) for labels in alike.values() if pattern in labels)
        return tuple(LabelledView(view, labels[min(rank, len(labels) - 1)]) for view, labels in alike.items() if labels)
    return ()


def has_names(labels: Labels) -> bool:
    """Whether a layer has names and colours for its labels."""
    return {"index", "name"} <= set(labels.features) and isinstance(labels.colormap, DirectLabelColormap)


def legend_of(views: Sequence[LabelledView]) -> Legend:
    """The bones in some views of one scan, in the order of their codes."""
    names = _names(views[0].labels)
    sides = [spacing_of(view.labels) for view in views]
    in_mm = all(side is not None for side in sides)
    counts = [np.bincount(view.labels.data.ravel(), minlength=max(names) + 1) for view in views]
    areas = [
        pixels * (side[0] * side[1] if in_mm and side is not None else 1.0)
        for pixels, side in zip(counts, sides, strict=True)
    ]
    colours, hidden = _colours(views[0].labels), hidden_in(views)
    bones = tuple(
        Bone(code, name, colours[code], code not in hidden, tuple(float(area[code]) for area in areas))
        for code, name in names.items()
        if code and code in colours and any(area[code] for area in areas)
    )
    return Legend(tuple(views), "mm²" if in_mm else "pixels", bones)


def hidden_in(views: Iterable[LabelledView]) -> set[int]:
    """Codes of the bones that are hidden in any of the views."""
    found: set[int] = set()
    for view in views:
        shown: Any = view.labels.colormap.color_dict
        found |= {code for code in _names(view.labels) if code and code in shown and shown[code][3] == 0}
    return found


def hide(views: Iterable[LabelledView], codes: Collection[int]) -> None:
    """Hide these bones and show all others; the pixels stay."""
    for view in views:
        usual = legend(names_regions_of(view.labels))["colormap"].color_dict
        wanted = {code: "transparent" if code in codes else colour for code, colour in usual.items()}
        view.labels.colormap = DirectLabelColormap(color_dict=wanted)


def bone_at(
    layers: Sequence[Layer], active: Layer | None, position: Sequence[float]
) -> tuple[LabelledView, int] | None:
    """The view and the label at a position in world coordinates, whichever layer is active; None beside all views."""
    for image in reversed([layer for layer in layers if can_be_scan(layer) and layer.visible]):
        place = _pixel(image, position)
        if place is None:
            continue
        own = active if active is not None and image in same_scan_of(layers, active) else image
        for view in labelled_views(layers, own):
            if view.image is image:
                return view, int(view.labels.data[place])
    return None


def name_of(view: LabelledView, code: int) -> str:
    """The name of a label in a view."""
    return _names(view.labels).get(code, f"label {code}")


def middle_of(views: Iterable[LabelledView], code: int) -> NDArray[np.float64] | None:
    """World coordinates of the middle of a bone in the first view that shows it; None if no view does."""
    for view in views:
        rows, columns = np.nonzero(view.labels.data == code)
        if len(rows):
            return np.asarray(
                world(view.labels, [((rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2)])[0]
            )
    return None


def same_scan_of(layers: Sequence[Layer], layer: Layer) -> list[Image]:
    """The images of the scan of an image or a labels layer; none if it belongs to no scan."""
    images = [each for each in layers if can_be_scan(each)]
    image = _image_of(images, layer)
    return [] if image is None else same_scan(images, image)


def _image_of(images: Sequence[Image], layer: Layer | None) -> Image | None:
    if isinstance(layer, Labels):
        bound = image_of(layer)
        if bound in images:
            return bound
        return next((image for image in images if layer in all_labels_of([layer], image)), None)
    return next((image for image in images if image is layer), None)


def _names(labels: Labels) -> dict[int, str]:
    return {int(code): str(name) for code, name in zip(labels.features["index"], labels.features["name"], strict=True)}


def _colours(labels: Labels) -> dict[int, str]:
    """The usual colour of each label, as ``#rrggbb``."""
    usual = legend(names_regions_of(labels))["colormap"].color_dict
    return {
        code: "#" + "".join(f"{round(255 * float(part)):02x}" for part in colour[:3])
        for code, colour in usual.items()
        if code is not None
    }


def _pixel(image: Image, position: Sequence[float]) -> tuple[int, int] | None:
    """The pixel (row, column) at a position; None if it lies outside the image."""
    row, column = (round(float(place)) for place in image.world_to_data(tuple(position)[-2:]))
    height, width = image.data.shape
    return (row, column) if 0 <= row < height and 0 <= column < width else None
