"""Energy window and detector of each frame of a Nuclear Medicine image."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.formats.dicom.frame_count import VECTORS, described_detectors, described_windows
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header

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
    """Energy window and detector of one frame: values of their vectors, normally counted from 1.

    An unknown window is None; an unknown detector is below 0.
    """

    window: int | None
    detector: int


def frames_of(header: Header, path: Path, count: int) -> tuple[list[Frame], list[str]]:
    """The energy window and detector of every frame, in the stored order, and warnings about vectors.

    Without vectors the order is the standard's: all detectors of the first window, then of the next. If several
    windows are described but there are only as many frames as detectors, the frames belong to one unknown window. A
    number of frames that does not fit the energy windows and detectors is a `Refusal` (of a series: `NotAPlanarScan`).
    """
    for keyword, kind in _SERIES_VECTORS.items():
        if len(set(header.numbers(keyword))) > 1:
            raise NotAPlanarScan(path, f"The frames are {kind} of a series; only planar images can be segmented.")

    vectors = {keyword: [int(value) for value in header.numbers(keyword)] for keyword in VECTORS}
    warnings = [
        f"{VECTORS[keyword]} has {counted(len(vector), 'value')} for {counted(count, 'frame')}, so it was not used."
        for keyword, vector in vectors.items()
        if len(vector) not in (0, count)
    ]
    windows, detectors = (vector if len(vector) == count else [] for vector in vectors.values())
    if windows and detectors:
        frames = [Frame(window, detector) for window, detector in zip(windows, detectors, strict=True)]
    elif windows:
        ranks = [windows[:i].count(window) + 1 for i, window in enumerate(windows)]
        frames = _of_some_detectors(header, [Frame(*each) for each in zip(windows, ranks, strict=True)])
    elif detectors:
        frames = _by_detectors(header, path, detectors)
    else:
        frames = _of_some_detectors(header, _in_order(header, path, count))
    return frames, warnings


def item_positions(numbers: Sequence[int], items: int) -> dict[int, int]:
    """The item of a sequence, counted from 0, for each number of a vector.

    Numbers count from 1. Some cameras count from 0, and some exports keep number 2 for the only detector left: then
    the rank of a number counts, if there are as many items as numbers. Otherwise only numbers counted from 0 have an
    item.
    """
    distinct = sorted(set(numbers))
    if all(1 <= number <= items for number in distinct):
        return {number: number - 1 for number in distinct}
    if len(distinct) == items:
        return {number: rank for rank, number in enumerate(distinct)}
    if all(0 <= number < items for number in distinct):
        return {number: number for number in distinct}
    return {}


def _by_detectors(header: Header, path: Path, detectors: Sequence[int]) -> list[Frame]:
    """Frames with known detectors: each detector has them in the order of the windows, if it has one for each."""
    described = described_windows(header)
    frames = [Frame(detectors[:i].count(detector) + 1, detector) for i, detector in enumerate(detectors)]
    if described == 1 or all(detectors.count(detector) == described for detector in detectors):
        return frames
    if len(set(detectors)) == len(detectors):
        return [Frame(None, detector) for detector in detectors]
    raise _unclear(path, len(detectors), described)


def _in_order(header: Header, path: Path, count: int) -> list[Frame]:
    """Energy window and detector of each frame of a file without vectors, in the standard's order."""
    windows, detectors = described_windows(header), described_detectors(header)
    # As many frames as windows can be one view in all windows, or two views in one window.
    clear = windows == 1 or (count % windows == 0 and (count > windows or detectors == 1))
    if windows > 1 and (count == 1 or (count == detectors and detectors > 1)):
        return [Frame(None, i + 1) for i in range(count)]
    if not clear or (windows > 1 and detectors is not None and windows * detectors != count):
        raise _unclear(path, count, windows)
    per_window = count // windows
    return [Frame(i // per_window + 1, i % per_window + 1) for i in range(count)]


def _of_some_detectors(header: Header, frames: list[Frame]) -> list[Frame]:
    """Mark the detectors as unknown, without a Detector Vector, unless all detectors or only one have frames."""
    described = len(header.items("DetectorInformationSequence"))
    if described < 2 or len({frame.detector for frame in frames}) == described:
        return frames
    return [Frame(frame.window, -frame.detector) for frame in frames]


def _unclear(path: Path, count: int, windows: int) -> Refusal:
    contents = f"{counted(count, 'frame')}, describes {windows} energy windows and does not state their order"
    return Refusal(path, f"The file has {contents}; export the window of the photopeak alone.")
