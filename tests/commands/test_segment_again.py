"""`bonescint segment` where results are there already, or two inputs would get one place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tifffile

from commands.segmenting import NOTICE, Ended, contents, facts_of, files_in, write_png
from dicom_files import some_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]
    Segment = Callable[..., "Ended"]
    WriteScan = Callable[..., Path]


def test_what_is_there_is_kept_unless_overwritten(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    scan = write_nm()
    segment(scan)
    (out / "scan.skeleton.tif").write_bytes(b"corrected by hand")
    before = contents(out)
    kept = segment(scan)
    assert kept.status == 0
    assert contents(out) == before
    assert kept.out == [f"{scan}: kept {out / 'scan.skeleton.tif'}", "0 segmented, 1 kept, 0 failed.", NOTICE]
    assert segment(scan, "--overwrite").out[-2] == "1 segmented, 0 kept, 0 failed."
    assert tifffile.imread(out / "scan.skeleton.tif").shape == (2, 64, 32)


@pytest.mark.parametrize("lost", ["scan.json", "scan.regions.tif"])
def test_a_mask_of_unknown_origin_is_not_replaced(segment: Segment, write_nm: WriteScan, out: Path, lost: str) -> None:
    scan = write_nm()
    segment(scan)
    (out / lost).unlink()
    (out / "scan.skeleton.tif").write_bytes(b"corrected by hand")
    refused = segment(scan)
    assert refused.status == 1
    assert (out / "scan.skeleton.tif").read_bytes() == b"corrected by hand"
    assert segment(scan, "--overwrite").status == 0
    assert tifffile.imread(out / "scan.skeleton.tif").shape == (2, 64, 32)


def test_a_kept_result_says_what_would_now_be_otherwise(
    segment: Segment, tmp_path: Path, out: Path, make_model: MakeModel
) -> None:
    scan = write_png(tmp_path / "scan.png")
    segment(scan, "--view", "anterior", "--spacing", "2")
    other = str(make_model("other", outputs=1).weights_path)
    kept = segment(scan, "--view", "posterior", "--spacing", "3", model=other)
    assert kept.out[0] == (
        f"{scan}: kept {out / 'scan.skeleton.tif'} "
        "(made with model tiny, other views, another spacing; --overwrite replaces it)"
    )
    assert facts_of(out)["model"] == "tiny"


def test_a_result_without_its_masks_is_made_again(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    scan = write_nm()
    segment(scan)
    (out / "scan.skeleton.tif").unlink()
    (out / "scan.regions.tif").unlink()
    assert segment(scan).out[-2] == "1 segmented, 0 kept, 0 failed."
    assert (out / "scan.regions.tif").exists()


@pytest.mark.parametrize("overwrite", [(), ("--overwrite",)])
def test_a_result_of_another_scan_is_an_error_that_names_both(
    segment: Segment, write_nm: WriteScan, out: Path, overwrite: tuple[str, ...]
) -> None:
    segment(write_nm("monday/scan.dcm"))
    before = contents(out)
    other = write_nm("tuesday/scan.dcm", counts=some_counts(2) + 1)
    ended = segment(other, *overwrite)
    assert ended.status == 1
    assert contents(out) == before
    (error,) = ended.complaints
    assert error.startswith(
        f"error: {other}: {out / 'scan.json'} is the result of another scan, scan.dcm with SHA-256 "
    )
    assert facts_of(out)["source_sha256"][:8] in error


def test_a_foreign_file_in_the_place_of_a_result_stays(segment: Segment, write_nm: WriteScan, out: Path) -> None:
    out.mkdir()
    (out / "scan.json").write_text('{"my": "notes"}', encoding="utf-8")
    ended = segment(write_nm())
    assert ended.status == 1
    assert "is not a result of bonescint" in ended.complaints[0]
    assert files_in(out) == ["scan.json"]


def test_inputs_with_one_place_for_their_results_are_an_error_that_names_all(
    segment: Segment, write_nm: WriteScan, out: Path
) -> None:
    rivals = [write_nm("monday/scan.dcm"), write_nm("tuesday/scan.dcm", counts=some_counts(2) + 1)]
    ended = segment(*rivals, write_nm("third.dcm"))
    assert ended.status == 1
    assert files_in(out) == ["third.json", "third.regions.tif", "third.skeleton.tif"]
    (error,) = ended.complaints
    assert error.startswith(f"error: {rivals[0]}, {rivals[1]}: would all be written to {out / 'scan.skeleton.tif'};")
    assert ended.out[-2] == "1 segmented, 0 kept, 2 failed."


def test_a_file_named_twice_is_segmented_once(segment: Segment, write_nm: WriteScan) -> None:
    scan = write_nm()
    assert segment(scan, scan.parent / ".." / scan.parent.name / "scan.dcm").out[-2] == "1 segmented, 0 kept, 0 failed."
