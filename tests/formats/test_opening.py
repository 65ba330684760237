"""Whatever a user names is opened, and what is no scan is counted or told."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import generate_uid

from dicom_files import ANTERIOR, POSTERIOR, nm_dataset, save, some_counts
from napari_bonescint.formats.opening import ScanSource, collect, collect_to_open, open_scan
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.scan import SAME_VIEW, ViewName, ViewSource
from napari_bonescint.scan_edits import CannotRearrange

ONE_VIEW = some_counts(1)


@pytest.fixture
def write_study(tmp_path):
    """Write single-view files of one study: `names` maps each to its view and, perhaps, attributes of its own."""
    study = generate_uid()

    def write(names, **common):
        for i, (name, (view, own)) in enumerate(names.items()):
            ds = nm_dataset(ONE_VIEW + i, (view,))
            ds.StudyInstanceUID = study
            for keyword, value in (common | own).items():
                setattr(ds, keyword, value)
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            save(ds, tmp_path / name)
        return [tmp_path / name for name in names]

    return write


# One file


@pytest.mark.parametrize("name", ["IM000001", "1.2.840.113619.2.5", "scan.png", "scan.tif"])
def test_dicom_is_known_by_its_content(write_nm, name):
    scan = open_scan(write_nm(name))
    assert len(scan.views) == 2
    assert scan.name == name.removesuffix(".png").removesuffix(".tif")


def test_dicom_whose_preamble_is_a_tiff_header(write_nm):
    path = write_nm()
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    assert open_scan(path).acquisition["collimator_type"] == "PARA"


def test_picture_is_known_by_its_content(tmp_path):
    Image.fromarray(some_counts(1)[0]).save(tmp_path / "scan.dcm", "png")
    scan = open_scan(tmp_path / "scan.dcm", view=ViewName.POSTERIOR, spacing=(2.0, 2.0))
    assert scan.views[0].name is ViewName.POSTERIOR
    assert scan.views[0].source is ViewSource.USER
    assert scan.warnings == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8\xff\xe0 a JPEG", "neither DICOM, PNG nor TIFF"),
        (b"", "empty"),
        (bytes.fromhex("3080 06092a864886f70d010703"), "encrypted"),
    ],
)
def test_other_files(tmp_path, content, reason):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Refusal, match=f"^x: The file is {reason}"):
        open_scan(tmp_path / "x")
    (failure,) = collect([tmp_path / "x"]).failures
    assert reason in str(failure)


def test_what_the_user_says_is_applied_in_order(write_nm):
    path = write_nm(counts=some_counts(1, columns=64), views=(None,), PixelSpacing=None)
    scan = open_scan(path, spacing=(2.4, 2.4), split_sides=True, flip_posterior=True)
    np.testing.assert_array_equal(scan.counts[1], some_counts(1, columns=64)[0, :, :31:-1])
    assert [view.flipped for view in scan.views] == [False, True]
    assert scan.spacing == (2.4, 2.4)
    assert scan.warnings == ()


def test_two_views_are_not_split(write_nm):
    with pytest.raises(CannotRearrange, match="2 views already"):
        open_scan(write_nm(), split_sides=True)


@pytest.mark.parametrize("view", [ANTERIOR, None])
def test_the_user_overrules_the_file(write_nm, view):
    scan = open_scan(write_nm(views=(view,)), view=ViewName.POSTERIOR)
    assert scan.views[0].name is ViewName.POSTERIOR
    assert scan.views[0].source is (ViewSource.OVERRULED if view else ViewSource.USER)
    assert ("The file names the posterior view anterior; the user's name was used." in scan.warnings) is bool(view)


# Two files of one study


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_two_files_of_one_study_are_one_scan(write_study, order):
    views = {"a": ANTERIOR, "b": POSTERIOR}
    first, second = write_study({f"{name}.dcm": (views[name], {}) for name in order})
    (source,) = collect([first, second]).sources
    assert source.result == Path(order[0])
    assert [path.stem for path in source.paths] == ["a", "b"]
    scan = source.open()
    assert [view.name for view in scan.views] == [ViewName.ANTERIOR, ViewName.POSTERIOR]
    counts = {first.stem: ONE_VIEW, second.stem: ONE_VIEW + 1}
    np.testing.assert_array_equal(scan.counts, np.concatenate([counts["a"], counts["b"]]))
    assert scan.acquisition["counts_accumulated"] == int(2 * ONE_VIEW.sum() + ONE_VIEW.size)
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in scan.sources]
    assert scan.source_sha256 == hashlib.sha256("".join(hashes).encode()).hexdigest()


DIFFERENT = {
    "study": {"StudyInstanceUID": generate_uid()},
    "no study": {"StudyInstanceUID": ""},
    "spacing": {"PixelSpacing": [2.0, 2.0]},
    "kind": {"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]},
    "size": {"Rows": 32},
    "unnamed view": {"DetectorInformationSequence": []},
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_files_that_differ_stay_apart(write_study, what):
    paths = write_study({"a.dcm": (ANTERIOR, {}), "b.dcm": (POSTERIOR, DIFFERENT[what])})
    assert [source.paths for source in collect(paths).sources] == [(path,) for path in paths]


def test_spots_of_one_study_are_no_pair(write_study):
    spot = {"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]}
    paths = write_study({"1": (ANTERIOR, spot), "2": (POSTERIOR, spot)})
    assert len(collect(paths).sources) == 2


def test_early_and_late_pair_go_by_series(write_study):
    early, late = {"SeriesInstanceUID": generate_uid()}, {"SeriesInstanceUID": generate_uid()}
    paths = write_study(
        {"1": (ANTERIOR, early), "2": (ANTERIOR, late), "3": (POSTERIOR, late), "4": (POSTERIOR, early)}
    )
    sources = collect(paths).sources
    assert [[path.name for path in source.paths] for source in sources] == [["1", "4"], ["2", "3"]]


def test_three_views_of_one_study_are_not_guessed_at(write_study):
    paths = write_study({"1": (ANTERIOR, {}), "2": (ANTERIOR, {}), "3": (POSTERIOR, {})})
    assert len(collect(paths).sources) == 3


SAME = {
    "both called anterior": ({}, {}),
    "neither called": ({"DetectorInformationSequence": []}, {"DetectorInformationSequence": []}),
    "one called": ({}, {"DetectorInformationSequence": []}),
    "of two series": ({"SeriesInstanceUID": generate_uid()}, {"SeriesInstanceUID": generate_uid()}),
    "both called both": tuple({"DetectorInformationSequence": [], "SeriesDescription": "WB ANT/POST 3H"} for _ in "12"),
    "called STATIC, of a whole body": tuple({"ImageType": ["ORIGINAL", "PRIMARY", "STATIC"]} for _ in "12"),
    "of two sizes": ({}, {"Rows": 32}),
}


@pytest.mark.parametrize("case", SAME)
def test_two_files_of_one_study_are_not_both_anterior_without_a_question(write_study, case):
    first, second = SAME[case]
    for source in collect(write_study({"1": (ANTERIOR, first), "2": (ANTERIOR, second)})).sources:
        assert SAME_VIEW in source.open().warnings
        # Once the user says which view it is, there is nothing to ask.
        assert SAME_VIEW not in source.open(view=ViewName.POSTERIOR).warnings


def test_what_is_no_reason_to_doubt_a_view(write_study, write_nm):
    spot = {"ImageType": ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"], "Rows": 32}
    early, late = {"SeriesInstanceUID": generate_uid()}, {"SeriesInstanceUID": generate_uid()}
    other = {"StudyInstanceUID": generate_uid()}
    for views in (
        {"1": (ANTERIOR, spot), "2": (ANTERIOR, spot)},
        {"3": (ANTERIOR, early), "4": (POSTERIOR, early), "5": (ANTERIOR, late)},
        {"6": (ANTERIOR, {}), "7": (ANTERIOR, other)},
        {"8": (ANTERIOR, {}), "9": (POSTERIOR, {"PixelSpacing": [2.0, 2.0]})},
    ):
        for source in collect(write_study(views)).sources:
            assert SAME_VIEW not in source.open().warnings


def test_of_three_views_the_two_alike_are_doubted(write_study):
    paths = write_study({"1": (ANTERIOR, {}), "2": (ANTERIOR, {}), "3": (POSTERIOR, {})})
    doubted = [source.paths[0].name for source in collect(paths).sources if SAME_VIEW in source.open().warnings]
    assert doubted == ["1", "2"]


def test_broken_half_is_told_by_its_name(write_study):
    paths = write_study({"a.dcm": (ANTERIOR, {}), "b.dcm": (POSTERIOR, {})})
    paths[1].write_bytes(paths[1].read_bytes()[:-100])
    (source,) = collect(paths).sources
    with pytest.raises(Refusal, match=r"^b\.dcm: The pixel data is cut off"):
        source.open()


# Folders


def test_folder_is_searched_all_the_way_down(write_nm, tmp_path):
    write_nm("in/p2/IM1")
    write_nm("in/p1/IM1")
    write_nm("in/p1/ct1", Modality="CT")
    write_nm("in/p1/ct2", Modality="CT")
    (tmp_path / "in" / "notes.txt").write_text("no scan")
    (tmp_path / "in" / "empty").touch()
    Image.fromarray(some_counts(1)[0]).save(tmp_path / "in" / "mask.png")
    collection = collect([tmp_path / "in"])
    assert collection.failures == ()
    assert [source.result for source in collection.sources] == [Path("p1/IM1"), Path("p2/IM1")]
    assert len(collection.sources[0].open().views) == 2
    assert collection.skipped == {
        "Modality is CT; only nuclear medicine (NM) images can be segmented.": 2,
        "The file is no DICOM file.": 2,
        "The file is empty; copy or export it again.": 1,
    }


def test_two_files_of_one_study_in_a_folder(write_study, tmp_path):
    write_study({"p/x/IM1": (POSTERIOR, {}), "p/x/IM2": (ANTERIOR, {})})
    (source,) = collect([tmp_path / "p"]).sources
    assert source == ScanSource((tmp_path / "p/x/IM2", tmp_path / "p/x/IM1"), Path("x/IM1"))


def test_broken_scan_in_a_folder_fails_and_the_others_go_on(write_nm, tmp_path):
    write_nm("in/good")
    path = write_nm("in/bad")
    path.write_bytes(bytes(128) + b"DICM")
    collection = collect([tmp_path / "in"])
    assert [source.result.name for source in collection.sources] == ["good"]
    (failure,) = collection.failures
    assert str(failure) == "bad: The file is damaged or cut off; copy or export it again."
    assert failure.path == path


def test_folder_without_a_scan_is_told(write_nm, tmp_path):
    write_nm("in/ct", Modality="CT")
    collection = collect([tmp_path / "in"])
    assert [str(failure) for failure in collection.failures] == ["in: The folder holds no planar bone scan."]
    assert sum(collection.skipped.values()) == 1


def test_named_files_fail_one_by_one(write_nm, tmp_path):
    inputs = [tmp_path / "gone.dcm", write_nm("ct.dcm", Modality="CT"), write_nm("good.dcm")]
    collection = collect(inputs)
    assert [source.result for source in collection.sources] == [Path("good")]
    assert [str(failure).partition(":")[0] for failure in collection.failures] == ["gone.dcm", "ct.dcm"]
    assert collection.skipped == {}


def test_file_that_turns_up_twice_is_taken_once(write_nm, tmp_path):
    path = write_nm("in/scan.dcm")
    assert collect([path, tmp_path / "in", path, tmp_path / "in"]).sources == (ScanSource((path,), Path("scan")),)
    assert collect([path, tmp_path / "in"]).failures == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_pipe_is_not_waited_for(write_nm, tmp_path):
    write_nm("in/scan.dcm")
    os.mkfifo(tmp_path / "in" / "pipe")
    assert collect([tmp_path / "in"]).skipped == {"The file is no regular file.": 1}
    with pytest.raises(NotAPlanarScan):
        open_scan(tmp_path / "in" / "pipe")


def test_unreadable_folder_is_told(write_nm, tmp_path, monkeypatch):
    write_nm("in/scan.dcm")
    (tmp_path / "in" / "locked").mkdir()
    scandir = os.scandir

    def deny(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    collection = collect([tmp_path / "in"])
    assert len(collection.sources) == 1
    assert [str(failure) for failure in collection.failures] == [
        "locked: The folder could not be read (Permission denied)."
    ]


def test_what_is_opened_at_once_is_found_alike(write_nm, write_study, tmp_path):
    pair = write_study({"a": (ANTERIOR, {}), "b": (POSTERIOR, {})})
    for inputs in ([pair[0]], pair, [tmp_path], []):
        assert collect_to_open(inputs) == collect(inputs)
    odd = write_nm("odd.dcm", Modality="CT")
    (source,) = collect_to_open([odd]).sources
    with pytest.raises(NotAPlanarScan) as one:
        source.open()
    (failure,) = collect([odd]).failures
    assert str(one.value) == str(failure)


def test_scan_that_vanishes_before_it_is_opened(write_nm, tmp_path):
    (source,) = collect([write_nm("in/scan.dcm")]).sources
    shutil.rmtree(tmp_path / "in")
    with pytest.raises(Refusal, match="does not exist"):
        source.open()
