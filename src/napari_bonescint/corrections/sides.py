"""Left or right of the patient, computed from the view and the midline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from napari_bonescint.scan import View

PatientSide = Literal["left", "right"]


def side_of(view: View, x: float, midline_x: float) -> PatientSide:
    """On which side of the patient a column lies.

    Parameters
    ----------
    view : View
        Anterior or posterior, oriented as a camera acquires it.
    x : float
        Column of the image.
    midline_x : float
        Column of the midline in the same row, as `tools.mirror.midline` gives it.
    """
    return "left" if (x > midline_x) == view.patient_left_on_image_right else "right"
