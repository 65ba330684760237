"""What a thread needs to measure a scan that is being read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.measurement.measures import HotSpotVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import Measured, Measures, UptakeClasses
    from napari_bonescint.scan import Scan, ViewName

Decided = dict[tuple["ViewName", int], HotSpotVerdict]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What a thread measures: copies, which nobody changes."""

    scan: Scan
    regions: NDArray[np.uint8]
    labels: NDArray[np.uint16]
    decided: Decided
    classes: UptakeClasses | None
    before: Measured | None
    models: Mapping[str, str]

    def measure(self) -> Measures:
        """Measure; takes some tenths of a second."""
        # Here, in the thread: what this imports would stop the window.
        from napari_bonescint.measurement.measuring import remeasure

        return remeasure(
            self.scan,
            self.regions,
            self.labels,
            self.decided,
            before=self.before,
            classes=self.classes,
            models=self.models,
        )
