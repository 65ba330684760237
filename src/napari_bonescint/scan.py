"""A bone scan in memory: counts, views, spacing and acquisition facts. No file formats, no patient identity."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Spacing = tuple[float, float]

# In mm. The smallest: a tenth of what gamma cameras resolve; the largest: a body in 40 pixels.
_POSSIBLE_SPACING = (0.3, 50.0)
# In mm: of the longer side of an image. No camera's bed is longer than 3 m; a hand is longer than 5 cm.
_POSSIBLE_LENGTH = (50.0, 4000.0)
_MOST_OBLONG_PIXEL = 5.0

# Warnings of scans that the user can still answer; `scan_edits` drops them once answered.
VIEW_ASSUMED = "The file does not name its view; it was taken as anterior."
VIEWS_ASSUMED = "The file does not name its two views; they were taken as anterior, then posterior."
SAME_VIEW = (
    "Several scans of one study show this view, as their files say or as was assumed, and fewer the opposite one; if "
    "this is the opposite one, say so (in the panel Segment skeleton, or with --view)."
)
NO_SPACING = "The file gives no pixel spacing; sizes in millimetres are unknown."


class ViewName(StrEnum):
    """From where the camera looks at the patient."""

    ANTERIOR = "anterior"
    POSTERIOR = "posterior"

    @property
    def opposite(self) -> ViewName:
        """The view from the other side."""
        return ViewName.POSTERIOR if self is ViewName.ANTERIOR else ViewName.ANTERIOR


class ViewSource(StrEnum):
    """Who says that a view is anterior or posterior."""

    FILE = "file"
    USER = "user"
    OVERRULED = "overruled"
    """The user, against the file."""
    ASSUMED = "assumed"


@dataclass(frozen=True)
class View:
    """One view of a scan.

    Attributes
    ----------
    name : ViewName
        Anterior or posterior.
    source : ViewSource
        Whether the file or the user said so, the user against the file, or nobody.
    flipped : bool
        True if the user had the view mirrored left to right, because the file shows it the wrong way round; the counts
        are then the mirrored ones, oriented as a camera acquires them.
    """

    name: ViewName
    source: ViewSource = ViewSource.FILE
    flipped: bool = False

    def said_to_be(self, name: ViewName) -> View:
        """The view as the user calls it; that the user overrules the file is recorded, and taken back likewise."""
        agreed = name is self.name
        source = {
            ViewSource.FILE: ViewSource.FILE if agreed else ViewSource.OVERRULED,
            ViewSource.OVERRULED: ViewSource.OVERRULED if agreed else ViewSource.FILE,
        }.get(self.source, ViewSource.USER)
        return replace(self, name=name, source=source)

    @property
    def patient_left_on_image_right(self) -> bool:
        """Whether the patient's left side is on the image's right, as a camera acquires an anterior view."""
        return self.name is ViewName.ANTERIOR


@dataclass(frozen=True)
class Scan:
    """A planar whole-body bone scan.

    Attributes
    ----------
    counts : ndarray of shape (view, y, x)
        Counts as acquired, never negative, anterior before posterior; any real dtype.
    views : tuple of View
        One for each plane of `counts`.
    spacing : (float, float) or None
        Pixel spacing (y, x) in mm; None if the file gives none.
    acquisition : mapping
        Facts such as ``{"counts_accumulated": 3596452}``: strings and numbers only, never identity or dates.
    sources : tuple of Path
        The file or files that the scan was read from, in the order of `views` when there are several.
    source_sha256 : str
        Hash of the files' bytes, hexadecimal: of the file, or of the concatenated hashes of several.
    warnings : tuple of str
        Sentences to show to the user.
    study : str
        Equal for whole-body scans of one study that this process read, empty if the file names none; made with a secret
        that ends with the process, so it tells nobody which study.
    """

    counts: NDArray[np.generic]
    views: tuple[View, ...]
    spacing: Spacing | None
    acquisition: Mapping[str, str | int | float] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    source_sha256: str = ""
    warnings: tuple[str, ...] = ()
    study: str = ""

    def __post_init__(self) -> None:
        if self.counts.ndim != 3 or len(self.views) != len(self.counts):
            raise ValueError(
                f"counts of shape {self.counts.shape} do not hold (view, y, x) for {len(self.views)} views"
            )
        if self.spacing is not None and not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise ValueError(f"a pixel spacing of {self.spacing} mm is not positive")

    @property
    def name(self) -> str:
        """The stem of the first source file, or ``scan``."""
        return file_stem(self.sources[0]) if self.sources else "scan"


def is_outnumbering(view: ViewName, views: Sequence[ViewName]) -> bool:
    """Whether several single views of one study show this view, and fewer the opposite one, so that one may be wrong.

    Parameters
    ----------
    view : ViewName
        One of `views`.
    views : sequence of ViewName
        All single views of a study that have no partner.
    """
    return views.count(view) > 1 and views.count(view) > views.count(view.opposite)


def is_possible(spacing: Spacing) -> bool:
    """Whether the sides of a pixel (y, x) in mm are between what cameras resolve and what shows no body any more."""
    low, high = _POSSIBLE_SPACING
    return all(low <= side <= high for side in spacing)


def why_impossible(spacing: Spacing, size: tuple[int, int]) -> str | None:
    """Why no gamma camera can have made an image with such pixels, after "a pixel spacing"; None if one can.

    Parameters
    ----------
    spacing : (float, float)
        Pixel spacing (y, x) in mm.
    size : (int, int)
        Rows and columns of the image.
    """
    stated = "of " + " x ".join(f"{side:g}" for side in spacing) + " mm"
    if not is_possible(spacing):
        return f"{stated} is impossible"
    if max(spacing) > _MOST_OBLONG_PIXEL * min(spacing):
        return f"{stated} is impossible, the sides of a pixel being so different"
    longest = max(step * pixels for step, pixels in zip(spacing, size, strict=True))
    if not _POSSIBLE_LENGTH[0] <= longest <= _POSSIBLE_LENGTH[1]:
        return f"{stated} is impossible, since the image would be {longest / 1000:.2g} m long"
    return None


def file_stem(path: Path) -> str:
    """The name of a file without its extension; a UID such as ``1.2.840.10008`` has none and stays whole."""
    return path.name if path.suffix[1:].isdigit() else path.stem
