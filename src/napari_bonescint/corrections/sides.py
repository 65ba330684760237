"""The patient's side, computed from the view and the midline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from napari_bonescint.corrections.tools.mirror import ImageSide
    from napari_bonescint.scan import View

PatientSide = Literal["left", "right"]


def side_of(view: View, x: float, midline_x: float) -> PatientSide:
    """The patient's side of column `x`, if the midline is at `midline_x` in this row, see `tools.mirror.midline`."""
    return patient_side(view, "right" if x > midline_x else "left")


def patient_side(view: View, image_side: ImageSide) -> PatientSide:
    """The patient's side that a side of the image shows."""
    return "left" if (image_side == "right") == view.patient_left_on_image_right else "right"
