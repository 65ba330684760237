"""The other hospital of the benchmarks: the fictitious department of `napari_bonescint.simulation.department`.

Each seed gives a different body. Its counts are drawn once, like those of a real scan.
"""

from __future__ import annotations

from napari_bonescint.simulation.department import DepartmentSkeleton, scan_department, simulate_department

__all__ = ["HELD_OUT", "TO_CORRECT", "DepartmentSkeleton", "scan_department", "simulate_department"]

# Seeds of no split in train/splits.toml, and of no patient of `department.PATIENTS`.
TO_CORRECT = range(10_000, 10_050)
HELD_OUT = range(20_000, 20_050)
