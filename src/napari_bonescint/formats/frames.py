"""Which energy window and which detector each frame of a Nuclear Medicine image belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.formats.refusal import NotAPlanarScan, Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.formats.dicom_header import Header

# Two detectors and a handful of windows; a file with more frames than this is a series in time or around the patient.
_MOST_FRAMES = 64

_SERIES_VECTORS = {
    "PhaseVector": "phases",
    "RotationVector": "rotations",
    "RRIntervalVector": "heart beats",
    "TimeSlotVector": "time slots",
    "TimeSliceVector": "time slices",
    "SliceVector": "slices",
    "AngularViewVector": "angles",
}


class Frame(NamedTuple):
    """Where one frame belongs.

    Attributes
    ----------
    window, detector : int
        Values of the Energy Window Vector and Detector Vector, normally counted from 1.
    """

    window: int
    detector: int


def frames_of(header: Header, path: Path) -> list[Frame]:
    """The window and detector of every frame, in the order in which the frames are stored.

    Without vectors the order is the standard's: all detectors of the first window, then of the next.

    Raises
    ------
    Refusal
        If the number of frames is impossible or does not fit the number of energy windows.
    """
    stated = header.number("NumberOfFrames")
    count = 1 if stated is None else int(stated)
    if not 1 <= count <= _MOST_FRAMES:
        raise Refusal(path, f"The file has {count} frames; a planar scan has at most {_MOST_FRAMES}.")
    for keyword, what in _SERIES_VECTORS.items():
        if len(set(header.numbers(keyword))) > 1:
            raise NotAPlanarScan(path, f"The frames are {what} of a series; only planar images can be segmented.")

    windows = _vector(header, "EnergyWindowVector", count)
    detectors = _vector(header, "DetectorVector", count)
    if windows and detectors:
        return [Frame(window, detector) for window, detector in zip(windows, detectors, strict=True)]
    if windows:
        return [Frame(window, windows[:i].count(window) + 1) for i, window in enumerate(windows)]
    if detectors:
        return [Frame(detectors[:i].count(detector) + 1, detector) for i, detector in enumerate(detectors)]

    described = header.integer("NumberOfEnergyWindows") or len(header.items("EnergyWindowInformationSequence")) or 1
    if described < 1 or count % described:
        raise Refusal(
            path, f"The file has {count} frames for {described} energy windows and does not say which frame is which."
        )
    per_window = count // described
    return [Frame(i // per_window + 1, i % per_window + 1) for i in range(count)]


def item_positions(numbers: Sequence[int], items: int) -> dict[int, int]:
    """Which item of a sequence, from 0, each number of a vector means.

    Numbers count from 1. Where they do not fit (some cameras count from 0; some exports keep number 2 for the only
    detector left), their rank does, if there are as many items as numbers. Otherwise nothing is said about any.
    """
    distinct = sorted(set(numbers))
    if all(1 <= number <= items for number in distinct):
        return {number: number - 1 for number in distinct}
    if len(distinct) == items:
        return {number: rank for rank, number in enumerate(distinct)}
    return {}


def _vector(header: Header, keyword: str, count: int) -> list[int]:
    values = [int(value) for value in header.numbers(keyword)]
    return values if len(values) == count else []
