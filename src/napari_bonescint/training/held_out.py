"""How many patients a verdict takes; who is held out is decided in `corrections.patient_split`."""

from __future__ import annotations

from napari_bonescint.corrections.store.patient_split import Part, is_held_out, part_of_patient

__all__ = ["FEWEST_PATIENTS", "Part", "is_held_out", "part_of_patient"]

FEWEST_PATIENTS = 5
"""With fewer held out it cannot be told whether new weights are better."""
