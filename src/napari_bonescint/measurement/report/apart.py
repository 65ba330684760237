"""Write the report of a scan in a child process: the import of highdicom alone stops a window for half a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.measurement.child_call import call_in_child

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.measurement.comparison.changes import Comparison
    from napari_bonescint.measurement.measures import Measured
    from napari_bonescint.measurement.report.options import ReportOptions
    from napari_bonescint.scan import Scan


@dataclass(frozen=True)
class ReportOrder:
    """The arguments of `write_report`."""

    folder: Path
    stem: str
    scan: Scan
    regions: NDArray[np.uint8]
    measured: Measured
    comparison: Comparison | None
    options: ReportOptions
    sources: tuple[Path, ...]


def write_report_apart(order: ReportOrder) -> tuple[list[Path], list[str]]:
    """Write a report as `write_report` does, in a child process, and wait for it.

    Returns
    -------
    paths : list of Path
        The files.
    left_out : list of str
        Sentences about files that could not be written.

    Raises
    ------
    BonescintError
        As `write_report`, or if the child fails.
    """
    return call_in_child(_write, order)


def _write(order: ReportOrder) -> tuple[list[Path], list[str]]:
    # Here, in the child.
    from napari_bonescint.measurement.report.writing import write_report

    left_out: list[str] = []
    paths = write_report(
        *(order.folder, order.stem, order.scan, order.regions, order.measured),
        comparison=order.comparison,
        options=order.options,
        sources=order.sources,
        on_left_out=left_out.append,
    )
    return paths, left_out
