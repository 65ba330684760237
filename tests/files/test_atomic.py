"""A file, or a folder of files, is written whole or not at all."""

import os
import threading

import pytest

from napari_bonescint.files.atomic import (
    CannotWrite,
    write_bytes_atomically,
    write_files_atomically,
    write_folder_atomically,
)


def test_new_file_holds_the_bytes(tmp_path):
    write_bytes_atomically(tmp_path / "mask.tif", b"\x00\xff" * 1000)
    assert (tmp_path / "mask.tif").read_bytes() == b"\x00\xff" * 1000


def test_existing_file_is_replaced_and_nothing_else_stays(tmp_path):
    path = tmp_path / "card.json"
    path.write_bytes(b"old and longer")
    write_bytes_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["card.json"]


def test_failure_keeps_the_old_content_and_leaves_no_temporary_file(tmp_path):
    target = tmp_path / "taken"
    target.mkdir()
    (target / "inside").write_bytes(b"kept")
    with pytest.raises(CannotWrite, match="taken: could not be written"):
        write_bytes_atomically(target, b"new")
    assert (target / "inside").read_bytes() == b"kept"
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(CannotWrite, match=r"nowhere.*could not be written \(No such file or directory\)\.$"):
        write_bytes_atomically(tmp_path / "nowhere" / "x.json", b"{}")


@pytest.mark.skipif(os.name == "nt", reason="Windows limits whole paths, not names")
def test_longest_possible_file_name(tmp_path):
    path = tmp_path / ("n" * 255)
    write_bytes_atomically(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "ordinary").write_bytes(b"")
    write_bytes_atomically(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


def test_writers_at_once_leave_one_of_their_contents(tmp_path):
    path = tmp_path / "shared"
    contents = [bytes([i]) * 100_000 for i in range(8)]
    threads = [threading.Thread(target=write_bytes_atomically, args=(path, content)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert [p.name for p in tmp_path.iterdir()] == ["shared"]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("place", ["new", "deep/down/new", "empty"])
def test_folder_holds_all_files(tmp_path, place):
    (tmp_path / "empty").mkdir()
    files = {"a.json": b"{}", "b.jpg": b"\xff" * 5000}
    write_folder_atomically(tmp_path / place, files)
    assert contents(tmp_path / place) == files
    assert not list(tmp_path.rglob(".part-*"))


def test_folder_with_something_in_it_is_refused_and_kept(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_bytes(b"kept")
    with pytest.raises(CannotWrite, match=r"thesis: is not empty; choose an empty or a new folder\.$"):
        write_folder_atomically(tmp_path / "thesis", {"a.json": b"{}"})
    assert contents(tmp_path / "thesis") == {"chapter.txt": b"kept"}
    assert [path.name for path in tmp_path.iterdir()] == ["thesis"]


def test_folder_of_which_a_file_cannot_be_written_is_not_there(tmp_path):
    with pytest.raises(CannotWrite):
        write_folder_atomically(tmp_path / "new", {"a.json": b"{}", "no/such/folder.json": b"{}"})
    assert list(tmp_path.iterdir()) == []


def test_several_files_are_written_beside_others(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "other").write_bytes(b"kept")
    paths = write_files_atomically(tmp_path, {"a": b"new", "b": b"2"})
    assert paths == [tmp_path / "a", tmp_path / "b"]
    assert contents(tmp_path) == {"a": b"new", "b": b"2", "other": b"kept"}


def test_of_several_files_none_is_written_if_one_cannot_be(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "c").mkdir()
    with pytest.raises(CannotWrite, match="could not be written"):
        write_files_atomically(tmp_path, {"a": b"new", "b": b"2", "c": b"3"})
    assert {path.name for path in tmp_path.iterdir()} == {"a", "c"}
    assert (tmp_path / "a").read_bytes() == b"old"
