"""A scan refuses what does not fit together, and has a name."""

from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.scan import Scan, View, ViewName, file_stem


def test_counts_must_fit_views():
    with pytest.raises(ValueError, match="for 1 views"):
        Scan(np.zeros((2, 8, 8)), (View(ViewName.ANTERIOR),), None)


@pytest.mark.parametrize("spacing", [(0.0, 1.0), (-1.0, 1.0), (1.0, float("nan"))])
def test_spacing_must_be_positive(spacing):
    with pytest.raises(ValueError, match="not positive"):
        Scan(np.zeros((1, 8, 8)), (View(ViewName.ANTERIOR),), spacing)


@pytest.mark.parametrize(
    ("view", "left_on_right"),
    [
        (View(ViewName.ANTERIOR), True),
        (View(ViewName.POSTERIOR), False),
        # What the user mirrored was the wrong way round before.
        (View(ViewName.POSTERIOR, flipped=True), False),
    ],
)
def test_where_the_patients_left_is(view, left_on_right):
    assert view.patient_left_on_image_right is left_on_right


@pytest.mark.parametrize(
    ("name", "stem"),
    [("scan.dcm", "scan"), ("IM0001", "IM0001"), ("1.2.840.113619.2.5", "1.2.840.113619.2.5"), ("a.b.IMA", "a.b")],
)
def test_uid_file_names_keep_their_last_number(name, stem):
    assert file_stem(Path("folder", name)) == stem
