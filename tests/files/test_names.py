"""A name from a file is the name of a file in its folder, on every system, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_bonescint.files.names import inside, is_file_name


@pytest.mark.parametrize(
    "name", ["ward-7", "phase-u-net-regions", "Gerät 2", "scan.regions.tif", "1.2.840", "com", "骨"]
)
def test_names_of_files(name: str) -> None:
    assert is_file_name(name)
    assert inside(Path("runs"), name) == Path("runs") / name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../evil", "..\\evil", "/etc/passwd", "C:evil", "C:\\evil", "\\\\server\\share", "a/../../b"),
        *("~/x/../..", ".hidden", "nul", "CON.txt", "com1", "lpt9.json", "a\0b", "a\nb", "\x1b[2J", "a ", "a.", "-rf"),
        *("a" * 200, "\u202egnp.exe", "a:b", "a*b", "\x9b2J"),
    ],
)
def test_what_is_no_name_of_a_file_or_leads_elsewhere(name: str) -> None:
    assert not is_file_name(name)
    with pytest.raises(ValueError, match="is no name of a file in runs"):
        inside(Path("runs"), name)


@pytest.mark.parametrize("name", [None, 5, ["a"], {"a": 1}, b"a"])
def test_what_is_no_text_is_no_name(name: object) -> None:
    with pytest.raises(ValueError, match="is no name of a file"):
        inside(Path("runs"), name)


def test_a_file_in_a_folder_of_the_folder() -> None:
    assert inside(Path("runs"), "samples/000010.png") == Path("runs/samples/000010.png")
