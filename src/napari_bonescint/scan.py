"""A bone scan in memory: counts, views, spacing and acquisition facts, without patient identity."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from napari_bonescint.notices import Notice, Remedy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Spacing = tuple[float, float]

Turn = Literal[0, 90, 180, 270]
"""Degrees, clockwise."""

# In mm; from a tenth of a camera's resolution to a body in 40 pixels.
_POSSIBLE_SPACING = (0.3, 50.0)
# In mm, of the longer side of an image: a hand is longer than 5 cm, and no camera's bed is longer than 3 m.
_POSSIBLE_LENGTH = (50.0, 4000.0)
_MOST_OBLONG_PIXEL = 5.0

# Warnings that the user can resolve; `scan_edits` then removes them.
VIEW_ASSUMED = Notice("The file does not name its view; it was taken as anterior.", Remedy.NAME_VIEW)
VIEWS_ASSUMED = Notice(
    "The file does not name its two views; they were taken as anterior, then posterior.", Remedy.NAME_VIEW
)
SAME_VIEW = Notice(
    "Several scans of one study show this view, by their files or by assumption, and fewer the opposite one; if this "
    "is the opposite view, correct it.",
    Remedy.NAME_VIEW,
)
NO_SPACING = Notice("The file gives no pixel spacing; sizes in millimetres are unknown.", Remedy.SET_SPACING)


def turn_in(facts: Mapping[str, Any]) -> Turn:
    """The entry `turned` of a view's facts in a file; 0 if there is none, or none that is possible."""
    turned = facts.get("turned")
    return cast("Turn", turned) if turned in (90, 180, 270) else 0


class ViewName(StrEnum):
    """The side of the patient that a view shows."""

    ANTERIOR = "anterior"
    POSTERIOR = "posterior"

    @property
    def opposite(self) -> ViewName:
        """The view from the other side."""
        return ViewName.POSTERIOR if self is ViewName.ANTERIOR else ViewName.ANTERIOR


class ViewSource(StrEnum):
    """The source of a view's name."""

    FILE = "file"
    USER = "user"
    OVERRULED = "overruled"
    """The user contradicted the file."""
    ASSUMED = "assumed"


@dataclass(frozen=True)
class View:
    """One view of a scan.

    Attributes
    ----------
    name : ViewName
        Anterior or posterior.
    source : ViewSource
        Source of the name: the file, the user, the user against the file, or an assumption.
    flipped : bool
        Whether the user mirrored the view left to right, because the file shows it the wrong way round; the counts are
        then mirrored, in the orientation of a camera.
    inverted : bool
        Whether the user inverted the view, because the file shows uptake dark; the counts are then inverted.
    turned : {0, 90, 180, 270}
        Degrees by which the user turned the view clockwise, because the file shows the patient lying or upside down;
        the counts are then turned. A view that is mirrored, too, was mirrored first.
    """

    name: ViewName
    source: ViewSource = ViewSource.FILE
    flipped: bool = False
    inverted: bool = False
    turned: Turn = 0

    def renamed(self, name: ViewName) -> View:
        """The view with the user's name for it; `source` records if the user overrules the file."""
        agreed = name is self.name
        source = {
            ViewSource.FILE: ViewSource.FILE if agreed else ViewSource.OVERRULED,
            ViewSource.OVERRULED: ViewSource.OVERRULED if agreed else ViewSource.FILE,
        }.get(self.source, ViewSource.USER)
        return replace(self, name=name, source=source)

    def as_json(self) -> dict[str, Any]:
        """The entries of the view in JSON files; `inverted` and `turned` are there only if they are not false or 0."""
        return {name: fact for name, fact in asdict(self).items() if fact or name not in ("inverted", "turned")}

    def mirrored(self) -> View:
        """The view after the user has mirrored it left to right."""
        return replace(self, flipped=not self.flipped, turned=cast("Turn", -self.turned % 360))

    def turned_by(self, degrees: int) -> View:
        """The view after the user has turned it clockwise by a multiple of 90 degrees."""
        return replace(self, turned=cast("Turn", (self.turned + degrees) % 360))

    @property
    def lies(self) -> bool:
        """Whether rows of the file are columns of the view."""
        return self.turned % 180 != 0

    def as_shown(self, plane: NDArray[Any]) -> NDArray[Any]:
        """Pixels (y, x) of the file, mirrored and turned as the user has the view; numpy's view of the same memory."""
        return np.rot90(plane[:, ::-1] if self.flipped else plane, -self.turned // 90)

    def as_in_file(self, plane: NDArray[Any]) -> NDArray[Any]:
        """The opposite of `as_shown`."""
        upright = np.rot90(plane, self.turned // 90)
        return upright[:, ::-1] if self.flipped else upright

    @property
    def patient_left_on_image_right(self) -> bool:
        """True if the patient's left side is on the image's right, as in an acquired anterior view."""
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
        The files of the scan, in the order of `views` if there are several.
    source_sha256 : str
        SHA-256 of the file, hexadecimal; of several files, the SHA-256 of their joined hashes.
    warnings : tuple of str
        Sentences to show to the user.
    study : str
        Equal for whole-body scans of one study that this process read; empty if the file names none. It is made with a
        secret that ends with the process, so it identifies no study.
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
            raise ValueError(f"counts of shape {self.counts.shape} do not fit (view, y, x) for {len(self.views)} views")
        if self.spacing is not None and not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise ValueError(f"a pixel spacing of {self.spacing} mm is not positive")

    @property
    def name(self) -> str:
        """The stem of the first source file, or ``scan``."""
        return file_stem(self.sources[0]) if self.sources else "scan"


def exceeds_opposite(view: ViewName, views: Sequence[ViewName]) -> bool:
    """True if several single views of one study, and fewer of the opposite one, have this name; one may be wrong.

    `views` are all single views of the study that have no partner.
    """
    return views.count(view) > 1 and views.count(view) > views.count(view.opposite)


def is_possible(spacing: Spacing) -> bool:
    """True if a pixel (y, x) in mm has a size that a camera can have."""
    low, high = _POSSIBLE_SPACING
    return all(low <= side <= high for side in spacing)


def spacing_problem(spacing: Spacing, size: tuple[int, int]) -> str | None:
    """Describe why no gamma camera makes such an image, to follow "a pixel spacing"; None if one can.

    `spacing` is (y, x) in mm, and `size` is rows and columns.
    """
    stated = "of " + " x ".join(f"{side:g}" for side in spacing) + " mm"
    if not is_possible(spacing):
        return f"{stated} is impossible"
    if max(spacing) > _MOST_OBLONG_PIXEL * min(spacing):
        return f"{stated} is impossible: the sides of a pixel differ too much"
    longest = max(step * pixels for step, pixels in zip(spacing, size, strict=True))
    if not _POSSIBLE_LENGTH[0] <= longest <= _POSSIBLE_LENGTH[1]:
        return f"{stated} is impossible: the image would be {longest / 1000:.2g} m long"
    return None


def file_stem(path: Path) -> str:
    """The name of a file without its extension; a UID such as ``1.2.840.10008`` has no extension."""
    return path.name if path.suffix[1:].isdigit() else path.stem
