"""Files that are there, and every way in which one may not be: one sentence, and no waiting."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.formats.safe_reading import source_file
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.silence import quiet
from napari_bonescint.formats.safe_reading.source_file import read_start, read_whole, sha256

if TYPE_CHECKING:
    from collections.abc import Callable

both = pytest.mark.parametrize("read", [read_whole, read_start])


@pytest.mark.parametrize("size", [1, 131, 132, 133, 100_000])
def test_all_bytes_or_those_at_the_start(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "x").write_bytes(content)
    assert read_whole(tmp_path / "x") == content
    assert read_start(tmp_path / "x") == content[:132]


def empty(path: Path) -> Path:
    path.touch()
    return path


def linked_to_itself(path: Path) -> Path:
    path.symlink_to(path)
    return path


UNREADABLE: dict[str, Callable[[Path], Path]] = {
    "The file does not exist; check the path.": lambda path: path,
    "The file does not exist; check the path. ": lambda path: path.with_name("x\0"),
    "The file is a folder, not a file.": lambda path: path.parent,
    "The file is empty; copy or export it again.": empty,
    "The file could not be read (File name too long).": lambda path: path.with_name("x" * 300),
    "The file could not be read (Not a directory).": lambda path: empty(path) / "scan.dcm",
    "The file could not be read (Too many levels of symbolic links).": linked_to_itself,
}


@both
@pytest.mark.parametrize("reason", UNREADABLE)
@pytest.mark.skipif(os.name == "nt", reason="Windows says it in its own words")
def test_what_cannot_be_read(tmp_path: Path, read: Callable[[Path], bytes], reason: str) -> None:
    path = UNREADABLE[reason](tmp_path / "x")
    with pytest.raises(Refusal) as refused:
        read(path)
    # What a terminal would obey is shown as text.
    name = path.name.replace("\0", "\\x00")
    assert str(refused.value) == f"{name}: {reason.rstrip()}"


@both
def test_permission_denied(tmp_path: Path, read: Callable[[Path], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x").write_bytes(b"locked")

    def deny(*_args: object, **_more: object) -> None:
        raise PermissionError(13, "Permission denied")

    # A test that runs as root may read everything.
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", deny)
        with pytest.raises(Refusal, match=r"^x: The file may not be read; ask for permission to read it"):
            read(tmp_path / "x")


@both
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path, read: Callable[[Path], bytes]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NotAPlanarScan, match=r"^pipe: The file is no regular file"):
        read(tmp_path / "pipe")


def test_what_is_far_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_file, "MOST_BYTES", 2**20)
    (tmp_path / "x").write_bytes(bytes(2**20))
    assert len(read_whole(tmp_path / "x")) == 2**20
    (tmp_path / "x").write_bytes(bytes(2**20 + 1))
    with pytest.raises(Refusal, match=r"^x: The file is larger than 1 MB, so it is no planar bone scan"):
        read_whole(tmp_path / "x")
    assert read_start(tmp_path / "x") == bytes(132)


def test_the_hash_is_that_of_the_standard() -> None:
    # FIPS 180-2, appendix B.1.
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_warnings_stay_with_us_for_as_long_as_asked(recwarn: pytest.WarningsRecorder) -> None:
    with quiet():
        warnings.warn("not heard", stacklevel=1)
    warnings.warn("heard", stacklevel=1)
    assert [str(each.message) for each in recwarn] == ["heard"]
