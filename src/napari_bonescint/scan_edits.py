"""What a user may say about a scan: views, spacing, a mirrored view, two views in one image.

Each of these is asked for and recorded; nothing here is ever done on its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.scan import (
    NO_SPACING,
    VIEW_ASSUMED,
    VIEWS_ASSUMED,
    Scan,
    View,
    ViewName,
    ViewSource,
    why_impossible,
)

if TYPE_CHECKING:
    from napari_bonescint.scan import Spacing

# Half of it must still be wide enough to hold a patient.
_NARROWEST_TO_SPLIT = 32


class CannotRearrange(BonescintError):
    """A scan that does not admit what was asked for."""


def name_views(scan: Scan, first: ViewName) -> Scan:
    """Say which view the first plane shows, whatever its file says; of two planes the other is the opposite view.

    Parameters
    ----------
    scan : Scan
        Any scan.
    first : ViewName
        The view of the first plane.

    Returns
    -------
    Scan
        Anterior first. The source of its views is the user, where the file said nothing, or the file if it says the
        same; where the file is overruled, that is recorded and told in a warning.
    """
    views = [view.said_to_be(name) for view, name in zip(scan.views, (first, first.opposite), strict=False)]
    if views == list(scan.views):
        return scan
    order = sorted(range(len(views)), key=lambda i: views[i].name is ViewName.POSTERIOR)
    overruled = [
        f"The file names the {view.name} view {view.name.opposite}; the user was believed."
        for before, view in zip(scan.views, views, strict=True)
        if view.source is ViewSource.OVERRULED and before != view
    ]
    return replace(
        scan,
        counts=scan.counts[order],
        views=tuple(views[i] for i in order),
        sources=tuple(scan.sources[i] for i in order) if len(scan.sources) == len(order) else scan.sources,
        warnings=(*_without(scan, VIEW_ASSUMED, VIEWS_ASSUMED), *overruled),
    )


def with_spacing(scan: Scan, spacing: Spacing) -> Scan:
    """Give a pixel spacing (y, x) in mm to a scan whose file gives none; one that the file gives stays, with a warning.

    Raises
    ------
    CannotRearrange
        If no image of this size can have such pixels.
    """
    if scan.spacing is not None:
        if np.allclose(scan.spacing, spacing, rtol=1e-3):
            return scan
        stated = " x ".join(f"{side:g}" for side in scan.spacing)
        warning = f"The file gives a pixel spacing of {stated} mm, so the one given by the user was not taken."
        return replace(scan, warnings=(*scan.warnings, warning))
    if (why := why_impossible(spacing, scan.counts.shape[1:])) is not None:
        raise CannotRearrange(f"{scan.name}: A pixel spacing {why}; give the size of a pixel in mm.")
    return replace(scan, spacing=spacing, warnings=_without(scan, NO_SPACING))


def flip(scan: Scan, name: ViewName) -> Scan:
    """Mirror one view left to right, and record it; a scan without that view stays as it is.

    For exports that mirror the posterior view: mirrored back, it shows the patient's left on the image's left.
    """
    counts = scan.counts.copy()
    views = list(scan.views)
    for i, view in enumerate(views):
        if view.name is name:
            counts[i] = counts[i, :, ::-1]
            views[i] = replace(view, flipped=not view.flipped)
    return replace(scan, counts=counts, views=tuple(views))


def split_side_by_side(scan: Scan) -> Scan:
    """Take the left half of an image as the anterior view and the right half as the posterior one.

    Parameters
    ----------
    scan : Scan
        One image, of shape (1, y, x). The middle column of an odd number belongs to neither half.

    Returns
    -------
    Scan
        Counts of shape (2, y, x // 2), the views' source the user.

    Raises
    ------
    CannotRearrange
        If the scan has two views already, or is too narrow to hold two.
    """
    if len(scan.views) != 1:
        raise CannotRearrange(
            f"{scan.name}: The scan has {len(scan.views)} views already; only one image can be split."
        )
    width = scan.counts.shape[2]
    if width < _NARROWEST_TO_SPLIT:
        raise CannotRearrange(f"{scan.name}: The image is {width} pixels wide, too narrow to hold two views.")
    half = width // 2
    return replace(
        scan,
        counts=np.concatenate((scan.counts[:, :, :half], scan.counts[:, :, width - half :])),
        views=(View(ViewName.ANTERIOR, ViewSource.USER), View(ViewName.POSTERIOR, ViewSource.USER)),
        warnings=_without(scan, VIEW_ASSUMED),
    )


def _without(scan: Scan, *answered: str) -> tuple[str, ...]:
    return tuple(warning for warning in scan.warnings if warning not in answered)
