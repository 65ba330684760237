from napari_bonescint.corrections.sides import patient_side, side_of
from napari_bonescint.scan import View, ViewName


def test_patient_left_is_on_the_right_of_an_anterior_view() -> None:
    assert side_of(View(ViewName.ANTERIOR), 200, 128) == "left"
    assert side_of(View(ViewName.ANTERIOR), 50, 128) == "right"


def test_patient_left_is_on_the_left_of_a_posterior_view() -> None:
    assert side_of(View(ViewName.POSTERIOR), 50, 128) == "left"


def test_a_side_of_the_image_is_named_after_the_patient() -> None:
    assert patient_side(View(ViewName.ANTERIOR), "left") == "right"
    assert patient_side(View(ViewName.POSTERIOR), "left") == "left"
