"""Choose the frames on the Tc-99m photopeak; frames of a scatter window are never a bone scan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.formats.dicom.frames import item_positions
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.formats.dicom.frames import Frame
    from napari_bonescint.formats.dicom.header import Header

# Energy of the Tc-99m gamma ray in keV (ENSDF: 140.511).
_PHOTOPEAK = 140.5

# "Scatter corrected" and "no scatter" mean a window without scatter.
_SCATTER_REMOVED = re.compile(
    r"(?<![a-z])(no|non|without|w/o|minus|de)\s*(scatter\w*|sc)(?![a-z])"
    r"|(?<![a-z])(scatter\w*|scat|sc|compton|tew|dew)\s*(corr\w*|removed|rejected|free|subtracted|compensated)(?![a-z])"
)
_SCATTER_NAME = re.compile(
    r"(?<!un)(?<!non)(scatt|scatter)\w*|compton|(?<![a-z])(streu\w*|diffus\w*|dispers\w*|rozprosz\w*)"
)
_OTHERS = {
    "i": "12[345]|131", "in": "111", "ga": "6[78]", "tl": "20[01]", "co": "5[78]", "gd": "153", "xe": "127|133",
    "kr": "81m", "lu": "177m?", "sm": "153", "ra": "223", "re": "18[68]", "sr": "8[59]", "f": "18",
}  # fmt: skip
_OTHER_NUCLIDE = re.compile(
    "|".join(rf"(?<![a-z0-9])({symbol}\s*({mass})|({mass})\s*{symbol})(?![a-z0-9])" for symbol, mass in _OTHERS.items())
)
# A window beside the photopeak, or one of two windows on it.
_BESIDE = re.compile(r"(?<![a-z])(low|lower|lo|up|upper|high|hi|side|background|bkg|bg)(?![a-z])")
# Scatter, or scatter corrected.
_PERHAPS_SCATTER = re.compile(r"(?<![a-z])(sc|sct|scat)(?![a-z])")
_PHOTOPEAK_NAME = re.compile(
    r"(?<![a-z])(photo\s*peak|peak|pp|tc\s*99\s*m?|99m?\s*tc|technetium)(?![a-z])|(?<!\d)140(?!\d)"
)


class _Kind(Enum):
    PHOTOPEAK = "photopeak"
    OTHER = "other"
    UNKNOWN = "unknown"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True)
class EnergyWindow:
    """One energy window: its name in the file, and its lower and upper limits in keV, both empty if not stated."""

    name: str = ""
    ranges: tuple[tuple[float, float], ...] = ()

    @property
    def label(self) -> str:
        """The limits, such as ``126-154 keV``; empty if the file states none."""
        limits = " + ".join(f"{low:g}-{high:g}" for low, high in self.ranges)
        return f"{limits} keV" if limits else ""

    @property
    def kind(self) -> _Kind:
        """Kind of the window, on the photopeak or not: by its limits; without limits, by its name."""
        if self.ranges:
            covered = any(low <= _PHOTOPEAK <= high for low, high in self.ranges)
            return _Kind.PHOTOPEAK if covered else _Kind.OTHER
        name = _SCATTER_REMOVED.sub(" ", self.name.lower().replace("_", " ").replace("-", " "))
        is_peak = _PHOTOPEAK_NAME.search(name)
        if _SCATTER_NAME.search(name) or (_OTHER_NUCLIDE.search(name) and not is_peak):
            return _Kind.OTHER
        if _PERHAPS_SCATTER.search(name) or _BESIDE.search(name):
            return _Kind.DOUBTFUL
        return _Kind.PHOTOPEAK if is_peak else _Kind.UNKNOWN

    @property
    def distance_from_photopeak(self) -> float:
        """Distance in keV from the photopeak to the middle of the nearest range."""
        return min((abs((low + high) / 2 - _PHOTOPEAK) for low, high in self.ranges), default=0.0)


def energy_windows(header: Header) -> list[EnergyWindow]:
    """The windows that a file describes, in the file's order."""
    windows = []
    for item in header.items("EnergyWindowInformationSequence"):
        limits = [
            (limit.number("EnergyWindowLowerLimit"), limit.number("EnergyWindowUpperLimit"))
            for limit in item.items("EnergyWindowRangeSequence")
        ]
        # An upper limit of 0 stands for none.
        stated = [sorted((low, high)) for low, high in limits if low is not None and high is not None and high > 0]
        ranges = tuple((low, high) for low, high in stated if low < high)
        windows.append(EnergyWindow(item.text("EnergyWindowName"), ranges))
    return windows


def on_photopeak(path: Path, windows: Sequence[EnergyWindow]) -> tuple[list[int], str | None]:
    """Indices of the windows that contain the photopeak, the best centred one first, and a warning if it is doubtful.

    `windows` are those of the file's frames, at least one; windows without a description are empty. If none contains
    the photopeak, or several may, the file is a `Refusal`.
    """
    kinds = [window.kind for window in windows]
    candidates = [i for i, kind in enumerate(kinds) if kind is _Kind.PHOTOPEAK]
    if candidates:
        return sorted(candidates, key=lambda i: windows[i].distance_from_photopeak), None
    unknown = [i for i, kind in enumerate(kinds) if kind is _Kind.UNKNOWN]
    doubtful = [i for i, kind in enumerate(kinds) if kind is _Kind.DOUBTFUL]
    if len(unknown) == 1:
        return unknown, None
    if not unknown and len(doubtful) == 1:
        return doubtful, (
            "The energy window states no limits, and its name may mean scatter, or a window beside the photopeak; it "
            "was taken as that of the photopeak."
        )
    if unknown or doubtful:
        question = "does not state which one contains the Tc-99m photopeak at 140 keV; export that window alone"
        raise Refusal(path, f"The file has {len(windows)} energy windows and {question}.")
    raise NotAPlanarScan(path, "No energy window contains the Tc-99m photopeak at 140 keV; export the one that does.")


class PhotopeakFrames(NamedTuple):
    """The chosen frames on the photopeak (from 0, in the stored order), the best window, and warnings.

    `left_out` has one frame of each detector without frames on the photopeak, and the window of that frame.
    """

    chosen: list[int]
    left_out: dict[int, EnergyWindow]
    window: EnergyWindow
    warnings: list[str]


def choose_frames(
    path: Path, frames: Sequence[Frame], described: Sequence[EnergyWindow], count: int
) -> PhotopeakFrames:
    """Choose for each detector the frames of its window on the photopeak.

    `count` is the number of windows that the file states, described or not. A file without a window on the photopeak,
    or with several that may be, is a `Refusal`.
    """
    numbers = sorted({frame.window for frame in frames if frame.window is not None})
    if not numbers:
        best, warnings = _assume_window(path, described, count)
        return PhotopeakFrames(list(range(len(frames))), {}, best, warnings)
    positions = item_positions(numbers, len(described))
    windows = [described[positions[number]] if number in positions else EnergyWindow() for number in numbers]
    indices, warning = on_photopeak(path, windows)
    warnings = [warning] if warning else []
    if numbers[indices[0]] not in positions and (described or max(count, *numbers) > 1):
        warnings.append("The file does not describe the energy window of its frames; it was taken as the photopeak's.")

    chosen: list[int] = []
    left_out: dict[int, EnergyWindow] = {}
    taken: list[EnergyWindow] = []
    several = 0
    for detector in dict.fromkeys(frame.detector for frame in frames):
        own = [i for i, frame in enumerate(frames) if frame.detector == detector]
        candidates = [index for index in indices if any(frames[i].window == numbers[index] for i in own)]
        if not candidates:
            left_out[own[0]] = windows[numbers.index(frames[own[0]].window or 0)]
            continue
        taken.append(windows[candidates[0]])
        several = max(several, len(candidates))
        chosen += [i for i in own if frames[i].window == numbers[candidates[0]]]
    if several > 1:
        label = taken[0].label or "one without stated limits"
        fact = f"{several} energy windows contain the Tc-99m photopeak at 140 keV"
        warnings.append(f"{fact}; {label}, the one centred on it best, was taken.")
    return PhotopeakFrames(sorted(chosen), left_out, taken[0], warnings)


def _assume_window(path: Path, described: Sequence[EnergyWindow], count: int) -> tuple[EnergyWindow, list[str]]:
    """Assume one described window for frames whose window is unknown."""
    indices, _ = on_photopeak(path, described or [EnergyWindow()])
    best = described[indices[0]] if described else EnergyWindow()
    frames = f"The file has frames of one of its {count} energy windows and does not state which one"
    return best, [f"{frames}; they were taken as those of the photopeak."]
