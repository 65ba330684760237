"""The files of a result, and how they are found again."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_bonescint import __version__
from napari_bonescint.atomic import CannotWrite
from napari_bonescint.results import Result, ResultError, clean_up
from napari_bonescint.scan import Scan, View, ViewName, ViewSource
from napari_bonescint.segmentation import Segmentation


@pytest.fixture
def source(scan: Scan) -> Scan:
    views = (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR, ViewSource.USER, flipped=True))
    return replace(
        scan, views=views, sources=(Path("/secret/ward/scan.dcm"),), source_sha256="ab12", warnings=("It is dim.",)
    )


@pytest.fixture
def segmentation(source: Scan) -> Segmentation:
    regions = np.zeros(source.counts.shape, np.uint8)
    regions[0, 20:40, 30:50] = 14
    regions[1, 50:60, 10:20] = 5
    return Segmentation(
        skeleton=(regions > 0).astype(np.uint8),
        regions=regions,
        probability=(regions > 0).astype(np.float32),
        model="tiny",
        model_sha256="cd34",
        device="cpu",
        device_reason="CPU: no CUDA device found",
        backend="torch",
        seconds=1.23456,
        warnings=("It was slow.",),
    )


def test_masks_and_facts_are_written(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    Result(tmp_path / "new" / "folder", "1.2.840").write(source, segmentation)
    folder = tmp_path / "new" / "folder"
    assert sorted(path.name for path in folder.iterdir()) == [
        "1.2.840.json",
        "1.2.840.regions.tif",
        "1.2.840.skeleton.tif",
    ]
    np.testing.assert_array_equal(tifffile.imread(folder / "1.2.840.regions.tif"), segmentation.regions)
    skeleton = tifffile.imread(folder / "1.2.840.skeleton.tif")
    np.testing.assert_array_equal(skeleton, segmentation.skeleton)
    assert skeleton.dtype == np.uint8
    assert json.loads((folder / "1.2.840.json").read_text(encoding="utf-8")) == {
        "masks": ["1.2.840.skeleton.tif", "1.2.840.regions.tif"],
        "sources": ["scan.dcm"],
        "source_sha256": "ab12",
        "views": [
            {"name": "anterior", "source": "file", "flipped": False},
            {"name": "posterior", "source": "user", "flipped": True},
        ],
        "spacing_mm": [4.5, 4.4],
        "model": "tiny",
        "model_sha256": "cd34",
        "device": "cpu",
        "device_reason": "CPU: no CUDA device found",
        "backend": "torch",
        "seconds": 1.235,
        "warnings": ["It is dim.", "It was slow."],
        "version": __version__,
    }


def test_facts_hold_no_path(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    Result(tmp_path, "scan").write(source, segmentation)
    text = (tmp_path / "scan.json").read_text(encoding="utf-8")
    assert "ward" not in text
    assert str(tmp_path) not in text


def test_a_single_view_keeps_its_axis(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    one = replace(segmentation, skeleton=segmentation.skeleton[:1], regions=None)
    Result(tmp_path, "scan").write(replace(source, counts=source.counts[:1], views=source.views[:1]), one)
    assert tifffile.imread(tmp_path / "scan.skeleton.tif").shape == (1, 131, 67)


def test_an_odd_file_name_is_recorded(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    name = "Szene\udcff Ä.dcm"  # a byte that is no UTF-8, as Python shows it
    Result(tmp_path, "scan").write(replace(source, sources=(Path(name),)), segmentation)
    recorded = Result(tmp_path, "scan").recorded()
    assert recorded is not None
    assert recorded.sources == (name,)


def test_a_result_is_found_again(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    result = Result(tmp_path, "scan")
    assert result.recorded() is None
    result.write(source, segmentation)
    recorded = result.recorded()
    assert recorded is not None
    assert (recorded.sources, recorded.source_sha256, recorded.model) == (("scan.dcm",), "ab12", "tiny")
    assert recorded.complete
    assert recorded.differences(source, "cd34") == []


def test_what_would_now_be_otherwise_is_told(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    recorded = result.recorded()
    assert recorded is not None
    otherwise = replace(source, spacing=None, views=(source.views[0], View(ViewName.POSTERIOR)))
    assert recorded.differences(otherwise, "ef56") == ["model tiny", "other views", "another spacing"]


def test_a_result_that_lost_a_mask_is_incomplete(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    (tmp_path / "scan.regions.tif").unlink()
    recorded = result.recorded()
    assert recorded is not None
    assert not recorded.complete


def test_a_model_without_regions_leaves_no_stale_ones(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    result.write(source, replace(segmentation, regions=None))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.json", "scan.skeleton.tif"]
    recorded = result.recorded()
    assert recorded is not None
    assert recorded.complete


@pytest.mark.parametrize("text", ["", "{}", "[1]", '"text"', '{"name": "a model card"}', "\x00\xff"])
def test_a_json_file_of_somebody_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scan.json").write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"scan\.json: is there already and is no result of bonescint; move it"):
        Result(tmp_path, "scan").recorded()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite, match="cannot be"):
        Result(tmp_path / "file" / "below", "scan").write(source, segmentation)


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    result = Result(tmp_path, "n" * 254)
    with pytest.raises(ResultError, match="cannot be read"):
        result.recorded()
    with pytest.raises(CannotWrite, match="cannot be written"):
        result.write(source, segmentation)


def interrupt_before(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Ctrl-C come just before a file of that name is put in place."""
    replacing = Path.replace

    def interrupted(path: Path, target: Path) -> Path:
        if target.name == name:
            raise KeyboardInterrupt
        return replacing(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)


@pytest.mark.parametrize("failing", ["new.skeleton.tif", "new.regions.tif", "new.json"])
def test_an_interruption_while_writing_leaves_the_old_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    interrupt_before(failing, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        result.write(source, replace(segmentation, seconds=99.0))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("failing", ["scan.skeleton.tif", "scan.regions.tif", "scan.json"])
def test_an_interruption_while_replacing_never_looks_like_a_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    interrupt_before(failing, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        result.write(source, segmentation)
    assert result.recorded() is None


def test_an_interruption_after_the_last_file_leaves_the_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = Result(tmp_path, "scan")
    replacing = Path.replace

    def interrupted_after(path: Path, target: Path) -> Path:
        replacing(path, target)
        if target.name == "scan.json":
            raise KeyboardInterrupt
        return target

    monkeypatch.setattr(Path, "replace", interrupted_after)
    with pytest.raises(KeyboardInterrupt):
        result.write(source, segmentation)
    recorded = result.recorded()
    assert recorded is not None
    assert recorded.complete


def leave_unfinished(result: Result, *, moved: int, old: bytes | None) -> Path:
    """Make of a result what a process leaves that is killed after it has put `moved` files in their places."""
    left = result.folder / ".bonescint-killed"
    left.mkdir()
    parts = {result.skeleton: "new.skeleton.tif", result.regions: "new.regions.tif", result.facts: "new.json"}
    for path, name in list(parts.items())[moved:]:
        path.rename(left / name)
        if old is not None and path != result.facts:
            path.write_bytes(old)
            os.utime(path, ns=(0, 0))
    return left


@pytest.mark.parametrize(("moved", "old"), [(0, b"old"), (1, None), (1, b"old"), (2, None)])
def test_what_a_killed_process_had_begun_is_finished(
    tmp_path: Path, source: Scan, segmentation: Segmentation, moved: int, old: bytes | None
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    leave_unfinished(result, moved=moved, old=old)
    recorded = result.recorded()
    assert recorded is not None
    assert recorded.complete
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_mask_that_was_corrected_since_the_kill_stays(
    tmp_path: Path, source: Scan, segmentation: Segmentation
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    left = leave_unfinished(result, moved=2, old=None)
    result.skeleton.write_bytes(b"corrected by hand")
    os.utime(result.skeleton, ns=2 * ((left / "new.json").stat().st_mtime_ns + 1_000_000_000,))
    assert result.recorded() is None
    assert result.skeleton.read_bytes() == b"corrected by hand"


def test_what_is_left_of_other_scans_and_of_half_a_result_is_not_taken(
    tmp_path: Path, source: Scan, segmentation: Segmentation
) -> None:
    Result(tmp_path, "other").write(source, segmentation)
    leave_unfinished(Result(tmp_path, "other"), moved=1, old=None)
    (tmp_path / ".bonescint-half").mkdir()
    result = Result(tmp_path, "scan")
    result.skeleton.write_bytes(b"of unknown origin")
    assert result.recorded() is None
    assert result.skeleton.read_bytes() == b"of unknown origin"


def test_what_was_left_is_cleared_away_once_nobody_can_be_using_it(
    tmp_path: Path, source: Scan, segmentation: Segmentation
) -> None:
    clean_up(tmp_path / "nowhere")
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    left = leave_unfinished(result, moved=1, old=None)
    (tmp_path / ".bonescint-run-1").touch()
    clean_up(tmp_path)
    assert left.exists()
    os.utime(left, (0, 0))
    os.utime(tmp_path / ".bonescint-run-1", (0, 0))
    clean_up(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.json", "scan.regions.tif", "scan.skeleton.tif"]


def test_the_run_is_recorded_where_it_has_a_name(tmp_path: Path, source: Scan, segmentation: Segmentation) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation, run="0a1b")
    recorded = result.recorded()
    assert recorded is not None
    assert (recorded.run, recorded.seconds, recorded.warnings) == ("0a1b", 1.235, ("It is dim.", "It was slow."))


OUTSIDE = ["../precious.skeleton.tif", "/etc/hostname", "..\\precious.skeleton.tif", "sub/scan.skeleton.tif"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_facts_that_name_masks_elsewhere_are_no_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, name: str
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    result.facts.write_text(json.dumps({**json.loads(result.facts.read_text()), "masks": [name]}))
    with pytest.raises(ResultError, match="is no result of bonescint"):
        result.recorded()


@pytest.mark.parametrize(
    "change",
    [{"seconds": "long"}, {"seconds": float("nan")}, {"warnings": "It is dim."}, {"sources": [5]}, {"model": None}],
)
def test_facts_of_a_wrong_kind_are_no_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, change: dict[str, object]
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    result.facts.write_text(json.dumps({**json.loads(result.facts.read_text()), **change}))
    with pytest.raises(ResultError, match="is no result of bonescint"):
        result.recorded()


@pytest.mark.parametrize("name", [*OUTSIDE, "", ".", 5, [1]])
def test_cleaning_up_follows_no_path_from_a_file(
    tmp_path: Path, source: Scan, segmentation: Segmentation, name: object
) -> None:
    """A leftover whose facts lead to another folder does not have the work in that folder finished."""
    folder, other = tmp_path / "results", tmp_path
    (folder / "sub").mkdir(parents=True)
    precious = Result(other, "precious")
    precious.write(source, segmentation)
    leave_unfinished(precious, moved=1, old=b"precious")
    left = folder / ".bonescint-left"
    left.mkdir()
    (left / "new.json").write_text(json.dumps({"masks": [name]}))
    os.utime(left, (0, 0))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and left not in path.parents}
    clean_up(folder)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not left.exists()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_neither_followed_nor_taken_for_a_leftover_of_ours(
    tmp_path: Path, source: Scan, segmentation: Segmentation
) -> None:
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "results"
    folder.mkdir()
    Result(folder, "scan").write(source, segmentation)
    leave_unfinished(Result(folder, "scan"), moved=1, old=None).rename(elsewhere)
    link = folder / ".bonescint-link"
    link.symlink_to(elsewhere)
    os.utime(link, (0, 0), follow_symlinks=False)
    kept = sorted(elsewhere.iterdir())
    assert Result(folder, "scan").recorded() is None
    clean_up(folder)
    assert sorted(elsewhere.iterdir()) == kept
    assert not link.is_symlink()
