"""The files of a result, and how they are found again."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from napari_bonescint import __version__
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.files.group import clean_up
from napari_bonescint.results import Result, ResultError
from napari_bonescint.scan import Scan, View, ViewName, ViewSource
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

    Killed = Callable[[Segmentation | None, Segmentation], list[Path]]

PARTS = (".json", ".regions.tif", ".skeleton.tif")
needs_fork = pytest.mark.skipif(os.name == "nt", reason="Windows cannot fork")


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
    assert {path.name for path in folder.iterdir()} == {f"1.2.840{part}" for part in PARTS}
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
    with pytest.raises(ResultError, match=r"scan\.json: exists already and is not a result of bonescint; move it"):
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


def files_in(folder: Path | str) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]


def contents(folder: Path) -> dict[str, bytes]:
    """All files in a folder and those below it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_in(folder)}


def interrupt_before(call: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Ctrl-C come just before a function of `os` is called for so many times."""
    calling, calls = getattr(os, call), itertools.count()

    def interrupted(*arguments: object, **named: object) -> object:
        if next(calls) == number:
            raise KeyboardInterrupt
        return calling(*arguments, **named)

    monkeypatch.setattr(os, call, interrupted)


@pytest.mark.parametrize("written", range(3))
def test_an_interruption_while_writing_leaves_the_old_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    before = contents(tmp_path)
    interrupt_before("fsync", written, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        result.write(source, replace(segmentation, seconds=99.0))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("moved", range(3))
def test_an_interruption_while_replacing_never_looks_like_half_a_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = replace(segmentation, skeleton=1 - segmentation.skeleton, seconds=99.0)
    Result(tmp_path / "undisturbed", "scan").write(source, new)
    result = Result(tmp_path / "interrupted", "scan")
    result.write(source, segmentation)
    with monkeypatch.context() as patch:
        interrupt_before("replace", moved, patch)
        with pytest.raises(KeyboardInterrupt):
            result.write(source, new)
    recorded = result.recorded()
    assert recorded is not None
    assert recorded.complete
    assert contents(tmp_path / "interrupted") == contents(tmp_path / "undisturbed")


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


@pytest.fixture
def killed(tmp_path: Path, source: Scan) -> Killed:
    """Writes a result in place of another or of none in processes that are killed later and later; their folders."""

    def write(old: Segmentation | None, new: Segmentation) -> list[Path]:
        (tmp_path / "scene").write_bytes(pickle.dumps((source, old, new)))
        (tmp_path / "killed").mkdir()
        words = [sys.executable, Path(__file__).with_name("killed_writer.py"), tmp_path / "killed", tmp_path / "scene"]
        subprocess.run(words, check=True)
        return sorted((tmp_path / "killed").iterdir())

    return write


@needs_fork
@pytest.mark.parametrize(
    ("old_names_regions", "new_names_regions"), [(True, True), (True, False), (False, True), (None, True)]
)
def test_whenever_its_writer_is_killed_a_result_is_the_old_one_or_the_new_one(
    tmp_path: Path,
    source: Scan,
    segmentation: Segmentation,
    killed: Killed,
    old_names_regions: bool | None,
    new_names_regions: bool,
) -> None:
    old = segmentation if old_names_regions else replace(segmentation, regions=None)
    new = replace(segmentation, skeleton=1 - segmentation.skeleton, model="larger")
    new = new if new_names_regions else replace(new, regions=None)
    for name, each in (("old", old), ("new", new)):
        if each is new or old_names_regions is not None:
            Result(tmp_path / name, "scan").write(source, each)
    undisturbed = [contents(tmp_path / name) for name in ("old", "new")]
    found = []
    for folder in killed(None if old_names_regions is None else old, new):
        recorded = Result(folder, "scan").recorded()
        clean_up(folder)
        found.append(undisturbed.index(contents(folder)))
        assert (recorded.model if recorded else None) == ["tiny" if undisturbed[0] else None, "larger"][found[-1]]
        Result(folder, "scan").write(source, new)
        assert contents(folder) == undisturbed[1]
    assert found == sorted(found)
    assert set(found) == {0, 1}


@needs_fork
def test_a_mask_that_was_corrected_since_the_kill_stays(segmentation: Segmentation, killed: Killed) -> None:
    results = [Result(folder, "scan") for folder in killed(None, segmentation)]
    begun = [result for result in results if result.skeleton.exists()]
    assert len(begun) > len([result for result in results if result.facts.exists()]) > 0
    for result in begun:
        result.skeleton.write_bytes(b"corrected by hand")
        result.recorded()
        assert result.skeleton.read_bytes() == b"corrected by hand"


@needs_fork
def test_what_is_left_of_another_scan_is_not_taken(segmentation: Segmentation, killed: Killed) -> None:
    for folder in killed(None, segmentation):
        other = Result(folder, "other")
        other.skeleton.write_bytes(b"of unknown origin")
        assert other.recorded() is None
        assert other.skeleton.read_bytes() == b"of unknown origin"


@pytest.mark.parametrize("leaves_folders", [False, True])
@pytest.mark.parametrize("synced", range(4))
def test_cleaning_up_costs_no_result_that_another_writes_at_this_moment(
    tmp_path: Path,
    source: Scan,
    segmentation: Segmentation,
    synced: int,
    leaves_folders: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clean_up(tmp_path / "nowhere")
    if leaves_folders:  # as where a file is added to one that is just being removed
        monkeypatch.setattr(shutil, "rmtree", lambda folder, **_: [file.unlink() for file in files_in(folder)])
    syncing, calls = os.fsync, itertools.count()

    def interfered(descriptor: int) -> None:
        syncing(descriptor)
        if next(calls) == synced:
            clean_up(tmp_path)

    monkeypatch.setattr(os, "fsync", interfered)
    result = Result(tmp_path, "scan")
    result.write(source, segmentation)
    recorded = result.recorded()
    assert recorded is not None
    assert recorded.complete
    assert set(contents(tmp_path)) == {f"scan{part}" for part in PARTS}


def test_a_mask_that_cannot_be_replaced_leaves_the_old_result(
    tmp_path: Path, source: Scan, segmentation: Segmentation
) -> None:
    result = Result(tmp_path, "scan")
    result.skeleton.mkdir()
    (result.skeleton / "inside").touch()
    with pytest.raises(CannotWrite, match="cannot be written"):
        result.write(source, segmentation)
    assert list(contents(tmp_path)) == ["scan.skeleton.tif/inside"]
    assert result.recorded() is None


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
    with pytest.raises(ResultError, match="is not a result of bonescint"):
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
    with pytest.raises(ResultError, match="is not a result of bonescint"):
        result.recorded()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_not_followed(tmp_path: Path, source: Scan, segmentation: Segmentation, killed: Killed) -> None:
    """What lies elsewhere is not put in the place of a result, nor taken away as left behind."""
    for folder in killed(None, segmentation):
        elsewhere = tmp_path / f"elsewhere-{folder.name}"
        folder.rename(elsewhere)
        folder.mkdir()
        for left in elsewhere.iterdir():
            (folder / left.name).symlink_to(left)
        before = contents(elsewhere)
        clean_up(folder)
        recorded = Result(folder, "scan").recorded()
        assert (recorded is None) == ("scan.json" not in before)
        assert contents(elsewhere) == before
