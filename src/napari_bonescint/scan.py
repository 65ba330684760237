"""A bone scan in memory: counts, views, spacing and acquisition facts. No file formats, no patient identity."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Spacing = tuple[float, float]

# Warnings of scans that the user can still answer; `rearranging` drops them once answered.
VIEW_ASSUMED = "The file does not name its view; it was taken as anterior."
VIEWS_ASSUMED = "The file does not name its two views; they were taken as anterior, then posterior."
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
    ASSUMED = "assumed"


@dataclass(frozen=True)
class View:
    """One view of a scan.

    Attributes
    ----------
    name : ViewName
        Anterior or posterior.
    source : ViewSource
        Whether the file or the user said so, or nobody did.
    flipped : bool
        True if the user had the view mirrored left to right, because the file shows it the wrong way round; the counts
        are then the mirrored ones, oriented as a camera acquires them.
    """

    name: ViewName
    source: ViewSource = ViewSource.FILE
    flipped: bool = False

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
    """

    counts: NDArray[np.generic]
    views: tuple[View, ...]
    spacing: Spacing | None
    acquisition: Mapping[str, str | int | float] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    source_sha256: str = ""
    warnings: tuple[str, ...] = ()

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


def file_stem(path: Path) -> str:
    """The name of a file without its extension; a UID such as ``1.2.840.10008`` has none and stays whole."""
    return path.name if path.suffix[1:].isdigit() else path.stem
