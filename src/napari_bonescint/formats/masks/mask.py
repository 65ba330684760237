"""Masks in memory: one plane for each view, with the view's name and the pixel spacing, if they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing, View


class MaskDoesNotFit(BonescintError):
    """A mask does not belong to a scan, or covers only a part of it."""


@dataclass(frozen=True)
class Mask:
    """The bones of one or two views.

    Attributes
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes of `anatomy.REGIONS` if `names_regions`, or 1 for bone.
    views : tuple of View or None
        The view of each plane, and whether it is mirrored or turned against the scan's file; None if unknown.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm; None if unknown.
    """

    regions: NDArray[np.uint8]
    views: tuple[View | None, ...]
    spacing: Spacing | None
    names_regions: bool = True

    def __post_init__(self) -> None:
        shape, views = self.regions.shape, len(self.views)
        if self.regions.dtype != np.uint8 or len(shape) != 3 or shape[0] != views:
            raise ValueError(f"a mask of {self.regions.dtype} and shape {shape} does not fit {views} views")


def lay_on(scan: Scan, masks: Sequence[Mask]) -> Mask:
    """Join masks to one mask in the order and orientation of a scan's views.

    The masks must hold one plane for each view. If no plane names its view, they are taken in their order. If the
    planes have another size than the scan, are not one for each view, or name regions on one view and only bone on the
    other, `MaskDoesNotFit` is raised.
    """
    size = scan.counts.shape[1:]
    lies = any(
        view is not None and view.lies for view in (*scan.views, *(view for mask in masks for view in mask.views))
    )
    for mask in masks:
        if not lies:
            _require_size(mask.regions.shape[1:], size)
    # A mask without bone may be of either kind; most formats cannot state it.
    kinds = {mask.names_regions for mask in masks if mask.regions.any()}
    if len(kinds) > 1:
        raise MaskDoesNotFit("One mask names regions and the other does not; give two masks of one kind.")
    views = [view for mask in masks for view in mask.views]
    planes = [plane for mask in masks for plane in mask.regions]
    wanted = ", ".join(view.name for view in scan.views)
    if all(view is None for view in views):
        if len(planes) != len(scan.views):
            count = counted(len(planes), "plane")
            raise MaskDoesNotFit(f"The masks have {count} without view names; the scan has the views {wanted}.")
        for plane in planes:
            _require_size(plane.shape, size)
        regions = np.stack(planes)
    else:
        named = [view.name if view is not None else "an unnamed one" for view in views]
        if sorted(named) != sorted(view.name for view in scan.views):
            raise MaskDoesNotFit(f"The masks show {', '.join(named)}; the scan needs one mask for each of {wanted}.")
        by_name = {view.name: (view, plane) for view, plane in zip(views, planes, strict=True) if view is not None}
        shown = [reoriented(plane, said, view) for view in scan.views for said, plane in [by_name[view.name]]]
        for plane in shown:
            _require_size(plane.shape, size)
        regions = np.stack(shown)
    names_regions = kinds.pop() if kinds else any(mask.names_regions for mask in masks)
    return Mask(regions, scan.views, scan.spacing, names_regions)


def reoriented(plane: NDArray[np.uint8], stored: View, shown: View) -> NDArray[np.uint8]:
    """A plane (y, x) of a mask, mirrored and turned from the way of one view to that of another of the same side."""
    return shown.as_shown(stored.as_in_file(plane))


def _require_size(pixels: tuple[int, ...], size: tuple[int, ...]) -> None:
    if pixels != size:
        sizes = f"The mask has {pixels[1]} x {pixels[0]} pixels and the scan {size[1]} x {size[0]}"
        raise MaskDoesNotFit(f"{sizes}; a mask must have the scan's own pixels.")
