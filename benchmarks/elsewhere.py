"""The other hospital of the benchmarks: the department that `napari_bonescint.simulation.department` invents.

Every seed is a body of its own, and its photons are counted once, as a real scan's are.
"""

from __future__ import annotations

from napari_bonescint.simulation.department import DepartmentSkeleton, scan_department, simulate_department

__all__ = ["HELD_OUT", "TO_CORRECT", "DepartmentSkeleton", "scan_department", "simulate_department"]

# Seeds of no split in train/splits.toml, and of no patient of `department.PATIENTS`.
TO_CORRECT = range(10_000, 10_050)
HELD_OUT = range(20_000, 20_050)
