"""Views as files name them, or do not."""

from __future__ import annotations

import numpy as np
import pytest

from dicom_files import ANTERIOR, POSTERIOR, code, detector, some_counts
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine
from napari_bonescint.formats.dicom.views import OTHER, view_of_text
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.scan import VIEW_ASSUMED, VIEWS_ASSUMED, ViewName, ViewSource


def names(scan):
    return [view.name.value for view in scan.views]


def sources(scan):
    return [view.source for view in scan.views]


LEFT_LATERAL = ("SCT", "399118008", "Left lateral projection")


@pytest.mark.parametrize("scheme", ["SRT", "SNM3", "99SDM"])
def test_legacy_view_codes_without_useful_meaning(write_nm, scheme):
    views = ((scheme, "G-5216", "P"), (scheme, "G-5215", "A"))
    assert sources(read_nuclear_medicine(write_nm(views=views))) == [ViewSource.FILE] * 2
    np.testing.assert_array_equal(read_nuclear_medicine(write_nm(views=views)).counts, some_counts(2)[::-1])


@pytest.mark.parametrize(
    "codes",
    [
        [ANTERIOR, POSTERIOR],
        [("SCT", "399321004", "Posterior projection")],
        [("99VENDOR", "1", "ANT/POST")],
    ],
)
def test_codes_that_name_both_views_name_none(write_nm, codes):
    item = detector(None)
    item.ViewCodeSequence = [code(*each) for each in codes]
    scan = read_nuclear_medicine(write_nm(views=(None,), DetectorInformationSequence=[item]))
    assert sources(scan) == [ViewSource.ASSUMED]
    assert scan.warnings == (VIEW_ASSUMED,)


def test_view_from_the_meaning_of_an_unknown_code(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(("99VENDOR", "17", "Post"), ("99VENDOR", "16", "ANT"))))
    assert sources(scan) == [ViewSource.FILE] * 2
    np.testing.assert_array_equal(scan.counts, some_counts(2)[::-1])


@pytest.mark.parametrize(
    "attributes",
    [
        {"SeriesDescription": "WB POSTERIOR"},
        {"ImageID": "WholeBody_POST"},
        {"ImageComments": "Posterior view"},
        {"ProtocolName": "Bone", "SeriesDescription": "Ganzkörper dorsal"},
    ],
)
def test_view_from_a_description(write_nm, attributes):
    scan = read_nuclear_medicine(write_nm(views=(None,), SpecificCharacterSet="ISO_IR 100", **attributes))
    assert names(scan) == ["posterior"]
    assert sources(scan) == [ViewSource.FILE]


def test_description_of_a_whole_file_names_neither_of_two_frames(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(None, None), SeriesDescription="WB POSTERIOR"))
    assert sources(scan) == [ViewSource.ASSUMED] * 2
    assert scan.warnings == (VIEWS_ASSUMED,)
    assert names(scan) == ["anterior", "posterior"]
    np.testing.assert_array_equal(scan.counts, some_counts(2))


def test_description_with_a_value_for_each_frame(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(None, None), ImageID=["POST", "ANT"]))
    assert sources(scan) == [ViewSource.FILE] * 2
    np.testing.assert_array_equal(scan.counts, some_counts(2)[::-1])


def test_description_of_a_detector(write_nm):
    items = [detector(None), detector(None)]
    items[0].DetectorDescription, items[1].DetectorDescription = "posterior head", "anterior head"
    scan = read_nuclear_medicine(write_nm(DetectorInformationSequence=items))
    np.testing.assert_array_equal(scan.counts, some_counts(2)[::-1])


def test_unnamed_single_view_is_assumed_anterior(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(None,)))
    assert names(scan) == ["anterior"]
    assert sources(scan) == [ViewSource.ASSUMED]
    assert scan.warnings == (VIEW_ASSUMED,)


def test_one_of_two_views_named(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(ANTERIOR, None)))
    assert names(scan) == ["anterior", "posterior"]
    assert sources(scan) == [ViewSource.FILE, ViewSource.ASSUMED]
    assert "taken as posterior" in scan.warnings[0]


def test_lateral_frames_are_left_out(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(LEFT_LATERAL, ANTERIOR)))
    assert names(scan) == ["anterior"]
    np.testing.assert_array_equal(scan.counts, some_counts(2)[1:])
    assert "1 of 2 frames show other views" in scan.warnings[0]


def test_only_lateral_is_refused(write_nm):
    with pytest.raises(NotAPlanarScan, match="only anterior and posterior views can be segmented"):
        read_nuclear_medicine(write_nm(views=(LEFT_LATERAL,)))


def test_same_view_twice_takes_the_first(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(ANTERIOR, ANTERIOR)))
    np.testing.assert_array_equal(scan.counts, some_counts(2)[:1])
    assert "More than one frame shows the anterior view" in scan.warnings[0]


def test_three_unnamed_frames_are_refused(write_nm):
    with pytest.raises(Refusal, match="3 frames and names no view"):
        read_nuclear_medicine(write_nm(views=(None, None, None)))


def test_codes_that_descriptions_contradict_are_believed_and_told(write_nm):
    scan = read_nuclear_medicine(write_nm(views=(ANTERIOR,), SeriesDescription="WB POSTERIOR"))
    assert names(scan) == ["anterior"]
    assert "codes name a view anterior and its descriptions posterior" in scan.warnings[0]
    assert read_nuclear_medicine(write_nm(views=(ANTERIOR,), SeriesDescription="WB ANT/POST")).warnings == ()
    assert read_nuclear_medicine(write_nm(ImageID=["ANT", "POST"])).warnings == ()


BOTH = (
    "ANT/POST",
    "Whole Body POST/ANT",
    "WB Post-Ant",
    "WB ANT/POST MDP",
    "Ant/Post views",
    "ANT & POST WHOLEBODY",
    "BONE ANT/POST 3H",
    "3h post ant",
    "3h POST and ANT MDP",
    "ANT/POST inj",
    "ANT & POST, 2 h p.i.",
    "Late POST|ANT void",
    "ANTE-POST",
    "AntPost",
    "WB_POSTANT_POST",
    "WB A/P post",
    "AP+PA post",
    "ant et post",
    "ANT_E/POST_E",
    "ANT1 POST2",
    "ANT POST LAT",
    "anterior/back",
    "POST (front)",
    "vorn + hinten",
    "both views post",
    "WB Posterior and anterior",
    "ant. 3h p.i. / post. 3h p.i.",
    "Ant 3h & Post 3h",
    "ANT/Pos",
    "A/POST",
    "ANT/P",
    "ant. & p.",
    "Anterior/Rückansicht",
    "Ventral/Dors.",
    "ANT + 后位",
    "Anterior / tył",
    "передняя (ant) + задняя",
)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("WB_ANT", ViewName.ANTERIOR),
        ("Whole Body Anterior", ViewName.ANTERIOR),
        ("Vue antérieure", ViewName.ANTERIOR),
        ("ventral", ViewName.ANTERIOR),
        ("POST_E", ViewName.POSTERIOR),
        ("post whole body", ViewName.POSTERIOR),
        ("proiezione posteriore", ViewName.POSTERIOR),
        ("3h post injection", None),
        ("Bone 180 min post", None),
        ("WB post void", None),
        ("POST 3H", None),
        ("delayed post", None),
        ("POST 1", ViewName.POSTERIOR),
        *((text, None) for text in BOTH),
        ("ANT 3H POST INJ", ViewName.ANTERIOR),
        ("WB ant post injection", ViewName.ANTERIOR),
        ("Anterior post void", ViewName.ANTERIOR),
        ("ANT, delayed post", ViewName.ANTERIOR),
        ("Posterior 3 h post injection", ViewName.POSTERIOR),
        ("antero-posterior", None),
        ("Dorsal spine", None),
        ("Antwerp whole body", None),
        ("", None),
        ("ANT 2 h p.i.", ViewName.ANTERIOR),
        ("Face postérieure", ViewName.POSTERIOR),
        ("全身 ANT", ViewName.ANTERIOR),
        ("LAO", OTHER),
        ("ANT OBL", OTHER),
        ("Schräg von vorne", OTHER),
        ("Left anterior oblique", OTHER),
    ],
)
def test_view_of_text(text, view):
    assert view_of_text(text) is view
