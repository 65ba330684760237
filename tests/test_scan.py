"""A scan refuses what does not fit together, and has a name."""

from pathlib import Path

import numpy as np
import pytest

from napari_bonescint.scan import (
    Scan,
    View,
    ViewName,
    ViewSource,
    exceeds_opposite,
    file_stem,
    spacing_problem,
)


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


@pytest.mark.parametrize(
    ("source", "same", "opposite"),
    [
        (ViewSource.FILE, ViewSource.FILE, ViewSource.OVERRULED),
        (ViewSource.OVERRULED, ViewSource.OVERRULED, ViewSource.FILE),
        (ViewSource.USER, ViewSource.USER, ViewSource.USER),
        (ViewSource.ASSUMED, ViewSource.USER, ViewSource.USER),
    ],
)
def test_who_says_which_view_it_is(source, same, opposite):
    view = View(ViewName.ANTERIOR, source, flipped=True)
    assert view.renamed(ViewName.ANTERIOR) == View(ViewName.ANTERIOR, same, flipped=True)
    assert view.renamed(ViewName.POSTERIOR) == View(ViewName.POSTERIOR, opposite, flipped=True)


@pytest.mark.parametrize(
    ("spacing", "size"),
    [((2.26, 2.26), (1024, 256)), ((0.5, 0.5), (4096, 1024)), ((30, 30), (64, 32)), ((2, 4), (512, 128))],
)
def test_spacings_that_scans_have(spacing, size):
    assert spacing_problem(spacing, size) is None


@pytest.mark.parametrize(
    ("spacing", "size", "why"),
    [
        ((0, 2), (1024, 256), "of 0 x 2 mm is impossible"),
        ((float("nan"), 2), (1024, 256), "impossible"),
        ((0.226, 0.226), (1024, 256), "impossible"),
        ((226, 226), (1024, 256), "impossible"),
        ((22.6, 22.6), (1024, 256), "23 m long"),
        ((1, 1), (32, 32), "0.032 m long"),
        ((2, 20), (128, 64), "sides of a pixel differ too much"),
    ],
)
def test_spacings_that_no_scan_has(spacing, size, why):
    assert why in (spacing_problem(spacing, size) or "")


def test_views_that_outnumber_the_opposite_ones():
    a, p = ViewName.ANTERIOR, ViewName.POSTERIOR
    assert [exceeds_opposite(a, views) for views in ([a, a], [a, a, p])] == [True, True]
    assert [exceeds_opposite(a, views) for views in ([a], [a, p], [a, a, p, p], [a, p, p])] == [False] * 4


def test_a_view_in_a_file_of_facts_tells_an_inversion_only_if_there_is_one():
    assert View(ViewName.ANTERIOR).as_json() == {"name": "anterior", "source": "file", "flipped": False}
    assert View(ViewName.ANTERIOR, inverted=True).as_json()["inverted"] is True
    assert View(ViewName.ANTERIOR, turned=90).as_json()["turned"] == 90


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_view_leads_from_its_file_to_what_is_shown_and_back(*, flipped: bool, turned: int) -> None:
    stored = np.arange(6).reshape(2, 3)
    view = View(ViewName.ANTERIOR, flipped=flipped).turned_by(turned)
    shown = view.as_shown(stored)
    np.testing.assert_array_equal(view.as_in_file(shown), stored)
    np.testing.assert_array_equal(view.mirrored().as_shown(stored), shown[:, ::-1])
    np.testing.assert_array_equal(view.turned_by(90).as_shown(stored), shown[::-1].T)  # clockwise
