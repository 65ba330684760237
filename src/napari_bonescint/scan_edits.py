"""Apply a user's corrections to a scan: views, spacing, a mirrored view, two views in one image.

Every correction is the user's decision and is recorded.
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
    ViewName,
    ViewSource,
    spacing_problem,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

# Half of it must be wide enough for a patient.
_NARROWEST_TO_SPLIT = 32


class CannotRearrange(BonescintError):
    """A scan does not allow a correction."""


def name_views(scan: Scan, first: ViewName) -> Scan:
    """Name the view of the first plane; of two planes the other is the opposite view.

    The result has the anterior view first. The source of a view becomes the user, unless the user agrees with the file.
    A contradiction with the file is recorded and adds a warning.
    """
    views = [view.renamed(name) for view, name in zip(scan.views, (first, first.opposite), strict=False)]
    if views == list(scan.views):
        return scan
    order = sorted(range(len(views)), key=lambda i: views[i].name is ViewName.POSTERIOR)
    overruled = [
        f"The file names the {view.name} view {view.name.opposite}; the user's name was used."
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
    """Add a pixel spacing (y, x) in mm to a scan without one; a spacing from the file stays, with a warning.

    A spacing that is impossible for the image raises `CannotRearrange`.
    """
    if scan.spacing is not None:
        if np.allclose(scan.spacing, spacing, rtol=1e-3):
            return scan
        stated = " x ".join(f"{side:g}" for side in scan.spacing)
        warning = f"The file gives a pixel spacing of {stated} mm, so the user's spacing was ignored."
        return replace(scan, warnings=(*scan.warnings, warning))
    if (problem := spacing_problem(spacing, scan.counts.shape[1:])) is not None:
        raise CannotRearrange(f"{scan.name}: A pixel spacing {problem}; give the size of a pixel in mm.")
    return replace(scan, spacing=spacing, warnings=_without(scan, NO_SPACING))


def flip(scan: Scan, name: ViewName) -> Scan:
    """Mirror one view left to right, and record it; a scan without that view is unchanged.

    Some exports mirror the posterior view: mirrored back, it shows the patient's left on the image's left.
    """
    counts = scan.counts.copy()
    views = list(scan.views)
    for i, view in enumerate(views):
        if view.name is name:
            counts[i] = counts[i, :, ::-1]
            views[i] = view.mirrored()
    return replace(scan, counts=counts, views=tuple(views))


def split_side_by_side(scan: Scan) -> Scan:
    """Split one image (1, y, x) into an anterior view (left half) and a posterior view (right half).

    An odd middle column belongs to neither half. A scan that has two views already, or is too narrow, raises
    `CannotRearrange`.
    """
    if len(scan.views) != 1:
        views = f"{len(scan.views)} views already"
        raise CannotRearrange(f"{scan.name}: The scan has {views}; only one image can be split.")
    width = scan.counts.shape[2]
    if width < _NARROWEST_TO_SPLIT:
        raise CannotRearrange(f"{scan.name}: The image is {width} pixels wide, too narrow to hold two views.")
    half = width // 2
    return replace(
        scan,
        counts=np.concatenate((scan.counts[:, :, :half], scan.counts[:, :, width - half :])),
        views=tuple(replace(scan.views[0], name=name, source=ViewSource.USER) for name in ViewName),
        warnings=_without(scan, VIEW_ASSUMED),
    )


def inverted(counts: NDArray[np.generic]) -> NDArray[np.generic]:
    """The counts (y, x) of a view that shows uptake dark: the largest value becomes the smallest, and vice versa.

    Inverted twice, they are the same again.
    """
    low, high = counts.min(), counts.max()
    return np.asarray(high - (counts - low), counts.dtype)


def _without(scan: Scan, *answered: str) -> tuple[str, ...]:
    return tuple(warning for warning in scan.warnings if warning not in answered)
