"""Messages between a process and the child that segments for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.devices import DeviceChoice
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan
    from napari_bonescint.segmentation import Segmentation


@dataclass(frozen=True)
class Loaded:
    """Message of the child: the model is loaded on a device; `devices` are all of this computer."""

    card: ModelCard
    device: DeviceChoice
    devices: tuple[str, ...] = ("cpu",)


@dataclass(frozen=True)
class Progressed:
    """Message of the child: the fraction of the scan that is done, 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class Finished:
    """Message of the child: the scan is segmented."""

    segmentation: Segmentation


@dataclass(frozen=True)
class Computed:
    """Message of the child: the result of the function that it was given, see `SegmentationProcess.compute`."""

    result: object


@dataclass(frozen=True)
class Failed:
    """Message of the child: its task failed for the reason in the sentence. The child keeps running."""

    sentence: str


@dataclass(frozen=True)
class Interrupted:
    """Message of the child: it left the scan as `SegmentationProcess.interrupt` asked; nothing is kept."""


Event = Loaded | Progressed | Finished | Computed | Failed | Interrupted


@dataclass(frozen=True)
class Task:
    """Message to the child: load a model, and segment a scan if there is one."""

    card: ModelCard
    device: str
    scan: Scan | None

    @property
    def is_work(self) -> bool:
        """Whether there is a scan to segment, beyond a model to load."""
        return self.scan is not None


@dataclass(frozen=True)
class Call:
    """Message to the child: a function to call, by its name there, with its arguments."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    is_work: bool = True


class Listening:
    """Message of the child: it has started and waits for its first task."""


class Interrupt:
    """Message to the child: leave the scan at its next step. A child without a scan ignores it."""
