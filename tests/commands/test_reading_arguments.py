"""What a user says on the command line about scans is what they are opened with."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from PIL import Image

from dicom_files import some_counts
from napari_bonescint.commands.reading_arguments import add_reading_to, describe_skipped, overrides_in
from napari_bonescint.formats.opening import Collection, ScanOverrides, open_scan
from napari_bonescint.scan import ViewName


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bonescint")
    add_reading_to(parser)
    return parser.parse_args(words)


def test_inputs_are_paths_and_nothing_else_is_said() -> None:
    arguments = parse("a.dcm", "folder/b")
    assert arguments.inputs == [Path("a.dcm"), Path("folder/b")]
    assert overrides_in(arguments) == ScanOverrides(view=None, spacing=None, split_sides=False, flip_posterior=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--view", "posterior"], {"view": ViewName.POSTERIOR}),
        (["--spacing", "2.26"], {"spacing": (2.26, 2.26)}),
        (["--spacing", "1e1"], {"spacing": (10.0, 10.0)}),
        (["--split-sides", "--flip-posterior"], {"split_sides": True, "flip_posterior": True}),
    ],
)
def test_what_is_said(words: list[str], said: ScanOverrides) -> None:
    nothing = ScanOverrides(view=None, spacing=None, split_sides=False, flip_posterior=False)
    assert overrides_in(parse("a.dcm", *words)) == {**nothing, **said}


def test_a_scan_is_opened_with_what_is_said(tmp_path: Path) -> None:
    Image.fromarray(some_counts(1)[0]).save(tmp_path / "scan.png")
    arguments = parse(str(tmp_path / "scan.png"), "--view", "posterior", "--spacing", "3", "--flip-posterior")
    scan = open_scan(arguments.inputs[0], **overrides_in(arguments))
    assert ([view.name for view in scan.views], scan.spacing, scan.views[0].flipped) == (["posterior"], (3, 3), True)
    assert (scan.counts[0] == some_counts(1)[0, :, ::-1]).all()
    assert scan.warnings == ()


@pytest.mark.parametrize("text", ["0", "-2", "nan", "inf", "1e999", "wide", "2,26", ""])
def test_what_is_no_length_is_told_with_an_example(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse("a.dcm", f"--spacing={text}")
    assert ended.value.code == 2
    complaint = capsys.readouterr().err.splitlines()[-1]
    assert complaint == f"bonescint: error: argument --spacing: {text!r} is no length in millimetres, such as 2.26"


@pytest.mark.parametrize(
    ("skipped", "sentence"),
    [
        (
            {"The file is no DICOM file.": 1},
            "Skipped 1 file in folders that is no planar bone scan: 1 x The file is no DICOM file.",
        ),
        (
            {"Rare.": 1, "Frequent.": 20, "Some.": 5, "Seldom.": 2},
            "Skipped 28 files in folders that are no planar bone scans: 20 x Frequent; 5 x Some; 2 x Seldom; ...",
        ),
        (
            {"One": 1, "Two": 2, "Three": 3},
            "Skipped 6 files in folders that are no planar bone scans: 3 x Three; 2 x Two; 1 x One.",
        ),
    ],
)
def test_skipped_files_are_counted_the_most_frequent_reason_first(skipped: dict[str, int], sentence: str) -> None:
    assert describe_skipped(Collection((), (), skipped)) == sentence
