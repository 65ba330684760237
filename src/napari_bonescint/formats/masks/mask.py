"""A mask as a file holds it: one plane for each view, and what the file says about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing, View


class MaskDoesNotFit(BonescintError):
    """A mask that does not belong to the scan it was to be laid on, or covers only a part of it."""


@dataclass(frozen=True)
class Mask:
    """The bones of one or two views.

    Attributes
    ----------
    regions : ndarray of uint8, shape (view, y, x)
        Region codes of `anatomy.REGIONS`, or 1 for bone.
    views : tuple of View or None
        What each plane shows, and whether it is mirrored against the file of the scan; None where nobody says.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm; None if it is not known.
    names_regions : bool
        Whether the values are region codes, or 1 for bone.
    """

    regions: NDArray[np.uint8]
    views: tuple[View | None, ...]
    spacing: Spacing | None
    names_regions: bool = True

    def __post_init__(self) -> None:
        if self.regions.dtype != np.uint8 or self.regions.ndim != 3 or len(self.regions) != len(self.views):
            raise ValueError(
                f"a mask of {self.regions.dtype} and shape {self.regions.shape} for {len(self.views)} views"
            )


def lay_on(scan: Scan, masks: Sequence[Mask]) -> Mask:
    """Bring the planes of masks into the order, and each into the orientation, of a scan's views.

    Parameters
    ----------
    scan : Scan
        The scan.
    masks : sequence of Mask
        Together they must hold one plane for each view. Planes that do not say what they show are taken in their
        order, if none says so.

    Returns
    -------
    Mask
        Of the shape and views of the scan.

    Raises
    ------
    MaskDoesNotFit
        If the planes are of another size than the scan, are not one for each of its views, or name regions on one and
        only bone on the other.
    """
    size = scan.counts.shape[1:]
    for mask in masks:
        if mask.regions.shape[1:] != size:
            raise MaskDoesNotFit(
                f"The mask has {_size(mask.regions.shape[1:])} pixels and the scan {_size(size)}; "
                "a mask must lie on the scan's own pixels."
            )
    # A mask without bone is of either kind; most formats cannot even say which.
    kinds = {mask.names_regions for mask in masks if mask.regions.any()}
    if len(kinds) > 1:
        raise MaskDoesNotFit("One mask names regions and the other does not; give two of one kind.")
    views = [view for mask in masks for view in mask.views]
    planes = [plane for mask in masks for plane in mask.regions]
    wanted = ", ".join(view.name for view in scan.views)
    if all(view is None for view in views):
        if len(planes) != len(scan.views):
            raise MaskDoesNotFit(
                f"The masks have {counted(len(planes), 'plane')} and do not say which; "
                f"the scan has {len(scan.views)} ({wanted})."
            )
        regions = np.stack(planes)
    else:
        named = [view.name if view is not None else "an unnamed one" for view in views]
        if sorted(named) != sorted(view.name for view in scan.views):
            raise MaskDoesNotFit(f"The masks show {', '.join(named)}; the scan has {wanted}, each of which needs one.")
        by_name = {view.name: (view, plane) for view, plane in zip(views, planes, strict=True) if view is not None}
        regions = np.stack([_as_shown(*by_name[view.name], view) for view in scan.views])
    names_regions = kinds.pop() if kinds else any(mask.names_regions for mask in masks)
    return Mask(regions, scan.views, scan.spacing, names_regions)


def _as_shown(said: View, plane: NDArray[np.uint8], shown: View) -> NDArray[np.uint8]:
    return plane if said.flipped is shown.flipped else plane[:, ::-1]


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]}"
