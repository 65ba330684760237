"""Records are numbered, whole, and never replaced, whoever else writes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.errors import StoreError
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.files.atomic import CannotWrite

if TYPE_CHECKING:
    from pathlib import Path

_WRITER = """
import sys
from pathlib import Path
from napari_bonescint.corrections.store.files import append_only
sys.stdin.readline()
for i in range(25):
    files = {".tif": f"{sys.argv[2]} {i}".encode()}
    number = append_only.append(Path(sys.argv[1]), files, {"who": sys.argv[2], "i": i})
    print(number, i)
"""


def test_numbers_count_from_one_and_every_part_is_there(tmp_path: Path) -> None:
    assert [append_only.append(tmp_path, {".tif": b"m", ".probability.tif": b"p"}, {"n": n}) for n in (1, 2)] == [1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("0001.json", "0001.probability.tif", "0001.tif"),
        *("0002.json", "0002.probability.tif", "0002.tif"),
    ]
    assert (tmp_path / "0002.probability.tif").read_bytes() == b"p"
    assert json.loads((tmp_path / "0001.json").read_bytes())["n"] == 1


def test_a_number_that_a_dead_writer_took_is_not_used_again(tmp_path: Path) -> None:
    (tmp_path / "0003.tif").touch()
    assert append_only.append(tmp_path, {".tif": b"m"}, {}) == 4
    assert append_only.numbers(tmp_path) == [4]
    assert [path.name for path in append_only.abandoned(tmp_path)] == ["0003.tif"]
    assert (tmp_path / "0003.tif").read_bytes() == b""


def test_after_9999_comes_10000(tmp_path: Path) -> None:
    (tmp_path / "9999.tif").touch()
    assert [append_only.append(tmp_path, {".tif": b"m"}, {}) for _ in range(2)] == [10000, 10001]
    assert append_only.numbers(tmp_path) == [10000, 10001]


def test_two_processes_that_write_at_once_each_get_their_own_numbers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    writers = {
        who: subprocess.Popen([*command, who], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for who in ("Ada", "Bea")
    }
    for writer in writers.values():
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    taken: dict[int, str] = {}
    for who, writer in writers.items():
        for line in writer.communicate(timeout=60)[0].splitlines():
            number, i = line.split()
            assert int(number) not in taken
            taken[int(number)] = f"{who} {i}"
    assert sorted(taken) == append_only.numbers(tmp_path) == list(range(1, 51))
    assert {n: (tmp_path / f"{n:04d}.tif").read_text() for n in taken} == taken


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match=r"gone: could not be written \(No such file or directory\)\.$"):
        append_only.append(tmp_path / "gone", {".tif": b""}, {})
    with pytest.raises(StoreError, match=r"gone: cannot be reached \(No such file or directory\); is the folder"):
        append_only.numbers(tmp_path / "gone")
