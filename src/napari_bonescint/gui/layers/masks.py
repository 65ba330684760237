"""Convert masks to labels layers on the views of a scan, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.masks.dicom_seg import Author
from napari_bonescint.formats.masks.mask import reoriented
from napari_bonescint.formats.masks.region_mapping import translate
from napari_bonescint.formats.masks.registry import MaskOfScan
from napari_bonescint.gui.layers.labels import all_labels_of, image_of, is_edited, legend, names_regions_of
from napari_bonescint.gui.layers.scans import (
    KEY,
    PLACE,
    can_be_scan,
    facts_of,
    group_by_scan,
    layers_to_scan,
    scans_to_layers,
)
from napari_bonescint.gui.placement import lies_on, place_of
from napari_bonescint.scan import Scan, View, ViewName, ViewSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from napari.layers import Image, Labels, Layer
    from numpy.typing import NDArray

    from napari_bonescint.formats.masks.mask import Mask
    from napari_bonescint.gui.layers.scans import LayerTuple


class NotOneScan(BonescintError):
    """The labels layers are not the masks of one scan."""


def mask_to_layers(mask: Mask, layers: Iterable[Layer], title: str = "mask") -> list[LayerTuple]:
    """Labels layers for a mask, on the images of its views if these are open, otherwise where they would lie.

    Parameters
    ----------
    mask : Mask
    layers : iterable of Layer
        The open layers. If several scans fit, the mask lies on the one opened last.
    title : str
        Begins the names of layers whose scan is not open.
    """
    images = [layer for layer in layers if can_be_scan(layer)]
    found: list[LayerTuple] = []
    under = _images_for(mask, images)
    for plane, said, image, alone in zip(mask.regions, mask.views, under, _places_alone(mask, title), strict=True):
        place = {name: alone[name] for name in PLACE} if image is None else place_of(image)
        view_name = alone["name"] if image is None else image.name
        attributes = {
            "name": f"{view_name} {'bones' if mask.names_regions else 'skeleton'}",
            "opacity": 0.5,
            **place,
            **legend(mask.names_regions),
        }
        # Without an image, the mask is shown as the scan's file shows the view; it may be opened later.
        as_shown = np.ascontiguousarray(_in_file(plane, said) if image is None else _laid_on(image, plane, said))
        found.append((as_shown, attributes, "labels"))
    return found


def layers_to_mask(layers: Any, labels: Sequence[Labels]) -> tuple[MaskOfScan, list[Image]]:
    """The mask in labels layers, and the images that they lie on.

    Parameters
    ----------
    layers : LayerList
        All layers of the viewer.
    labels : sequence of Labels
        One for each view of one scan.

    Raises
    ------
    NotOneScan
        If a layer lies on no image, or the images are not the views of one scan.
    UnmappedLabels
        If a label is no region code.
    """
    images = [_image_under(layers, each) for each in labels]
    groups = group_by_scan(images)
    if len(groups) != 1 or len(set(images)) != len(images):
        raise NotOneScan("The selected labels are of several scans, or of one view twice; save one scan at a time.")
    by_image = dict(zip(images, labels, strict=True))
    ordered = [by_image[image] for image in groups[0]]
    named = {names_regions_of(each) for each in ordered}
    if len(named) != 1:
        raise NotOneScan("Only some of the selected labels name regions; save labels with and without names apart.")
    (named_regions,) = named
    regions = [
        translate(Path(each.name), np.asarray(each.data).astype(np.int64), None, names_regions=named_regions).regions
        for each in ordered
    ]
    mask = MaskOfScan(layers_to_scan(groups[0]), np.stack(regions), named_regions, author_of(ordered))
    return mask, list(groups[0])


def _in_file(plane: NDArray[np.uint8], said: View | None) -> NDArray[np.uint8]:
    return plane if said is None else said.as_in_file(plane)


def _laid_on(image: Image, plane: NDArray[np.uint8], said: View | None) -> NDArray[np.uint8]:
    """A plane of a mask, mirrored and turned as the image is."""
    return plane if said is None else reoriented(plane, said, facts_of(image).view)


def _images_for(mask: Mask, images: Sequence[Image]) -> Sequence[Image | None]:
    """The image for each view of a mask, if possible all of the same scan, the one opened last."""
    by_scan = [_fitting(mask, scan) for scan in group_by_scan(images)]
    whole = [found for found in by_scan if None not in found]
    # The two views of a scan may come from two files.
    return whole[-1] if whole else _fitting(mask, images)


def _fitting(mask: Mask, images: Sequence[Image]) -> list[Image | None]:
    """The last image of each view; views that are not named get the images in order."""
    free = list(images)
    found: list[Image | None] = []
    for plane, said in zip(mask.regions, mask.views, strict=True):
        last_first = free if said is None else reversed(free)
        fitting = (
            image
            for image in last_first
            if (said is None or facts_of(image).view.name is said.name)
            and _laid_on(image, plane, said).shape == image.data.shape
        )
        image = next(fitting, None)
        if image is not None:
            free.remove(image)
        found.append(image)
    return found


def _places_alone(mask: Mask, title: str) -> list[dict[str, Any]]:
    """Layer attributes for the views of a mask without images: those that the images would have."""
    names = [view.name if view is not None else list(ViewName)[min(i, 1)] for i, view in enumerate(mask.views)]
    lies = any(view is not None and view.lies for view in mask.views)
    spacing = mask.spacing[::-1] if lies and mask.spacing is not None else mask.spacing
    regions = mask.regions.transpose(0, 2, 1) if lies else mask.regions  # only its shape counts here
    scan = Scan(regions, tuple(View(name, ViewSource.ASSUMED) for name in names), spacing)
    return [attributes for _, attributes, _ in scans_to_layers([scan], titles=[title])]


def _image_under(layers: Any, labels: Labels) -> Image:
    image = image_of(labels)
    if image is not None and image in layers:
        if not lies_on(labels, image):
            raise NotOneScan(
                f"{labels.name}: does not lie exactly on {image.name}; give both layers the same position, scale, "
                "rotation, shear and affine, then save again."
            )
        return image
    for layer in layers:
        if can_be_scan(layer) and labels in all_labels_of(layers, layer):
            return layer
    raise NotOneScan(f"{labels.name}: lies on no image of a bone scan; open the scan, or choose another writer.")


def author_of(labels: Sequence[Labels]) -> Author:
    """The model that made the masks, if any, and whether a person corrected them; the first view's model counts."""
    origins = [origin for each in labels if isinstance(origin := each.metadata.get(KEY), dict)]
    if not origins:
        return Author()
    bound = all(image_of(each) is not None for each in labels)
    return Author(str(origins[0]["model"]), corrected=not bound or any(is_edited(each) for each in labels))
