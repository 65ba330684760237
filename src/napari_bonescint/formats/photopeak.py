"""Which energy window holds the Tc-99m photopeak; the scatter window beside it is never a bone scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from napari_bonescint.formats.refusal import NotAPlanarScan, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.formats.dicom_header import Header

# Energy of the Tc-99m gamma ray in keV (ENSDF: 140.511).
_PHOTOPEAK = 140.5

_SCATTER_NAME = re.compile(r"(?<![a-z])(sc|sct|scat|scatt|scatter\w*|compton)(?![a-z])")
_PHOTOPEAK_NAME = re.compile(
    r"(?<![a-z])(photo\s*peak|peak|pp|tc\s*99\s*m?|99m?\s*tc|technetium)(?![a-z])|(?<!\d)140(?!\d)"
)


class _Kind(Enum):
    PHOTOPEAK = "photopeak"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class EnergyWindow:
    """One energy window of an acquisition.

    Attributes
    ----------
    name : str
        As the camera calls it; may be empty.
    ranges : tuple of (float, float)
        Lower and upper limits in keV; empty if the file gives none.
    """

    name: str = ""
    ranges: tuple[tuple[float, float], ...] = ()

    @property
    def label(self) -> str:
        """Its limits: ``126-154 keV``; empty if the file gives none."""
        limits = " + ".join(f"{low:g}-{high:g}" for low, high in self.ranges)
        return f"{limits} keV" if limits else ""

    @property
    def kind(self) -> _Kind:
        """Whether it holds the photopeak: by its name if that says scatter, else by its limits, else by its name."""
        name = self.name.lower().replace("_", " ").replace("-", " ")
        if _SCATTER_NAME.search(name):
            return _Kind.OTHER
        if self.ranges:
            covered = any(low <= _PHOTOPEAK <= high for low, high in self.ranges)
            return _Kind.PHOTOPEAK if covered else _Kind.OTHER
        return _Kind.PHOTOPEAK if _PHOTOPEAK_NAME.search(name) else _Kind.UNKNOWN

    @property
    def distance_from_photopeak(self) -> float:
        """From the photopeak to the middle of the nearest range, in keV."""
        return min((abs((low + high) / 2 - _PHOTOPEAK) for low, high in self.ranges), default=0.0)


def energy_windows(header: Header) -> list[EnergyWindow]:
    """The windows that a file describes, in its order."""
    windows = []
    for item in header.items("EnergyWindowInformationSequence"):
        limits = [
            (limit.number("EnergyWindowLowerLimit"), limit.number("EnergyWindowUpperLimit"))
            for limit in item.items("EnergyWindowRangeSequence")
        ]
        ranges = tuple((low, high) for low, high in limits if low is not None and high is not None and low < high)
        windows.append(EnergyWindow(item.text("EnergyWindowName"), ranges))
    return windows


def choose_photopeak(path: Path, windows: Sequence[EnergyWindow]) -> tuple[int, str | None]:
    """Choose the window that holds the photopeak.

    Parameters
    ----------
    path : Path
        The file, for the refusal.
    windows : sequence of EnergyWindow
        The windows that the file has frames of; at least one. Those it does not describe are empty.

    Returns
    -------
    index : int
        Into `windows`.
    warning : str or None
        A sentence, if there was more than one candidate.

    Raises
    ------
    Refusal
        If no window holds the photopeak, or none of several is known to.
    """
    candidates = [i for i, window in enumerate(windows) if window.kind is _Kind.PHOTOPEAK]
    unknown = [i for i, window in enumerate(windows) if window.kind is _Kind.UNKNOWN]
    if not candidates and len(unknown) == 1:
        candidates = unknown
    if candidates:
        best = min(candidates, key=lambda i: windows[i].distance_from_photopeak)
        if len(candidates) == 1:
            return best, None
        return best, (
            f"{len(candidates)} energy windows hold the Tc-99m photopeak at 140 keV; "
            f"{windows[best].label or 'one without stated limits'}, the one centred on it best, was taken."
        )
    if unknown:
        raise Refusal(
            path,
            f"The file has {len(windows)} energy windows and does not say which holds the Tc-99m photopeak at 140 keV; "
            "export that window alone.",
        )
    raise NotAPlanarScan(path, "No energy window holds the Tc-99m photopeak at 140 keV; export the one that does.")
