from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.training.runs.run_folder import RunFolder, RunFolderError, running_process

if TYPE_CHECKING:
    from pathlib import Path


def test_who_trains_is_told_while_it_does(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "runs" / "tiny")
    assert running_process(run.path) is None
    run.occupy()
    assert running_process(run.path) == os.getpid()
    run.request.write_text("stop\n")
    assert run.requested() == "stop"
    run.leave()
    assert running_process(run.path) is None
    assert run.requested() == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_request_is_read_however_a_shell_writes_it(tmp_path: Path, encoding: str) -> None:
    run = RunFolder(tmp_path)
    run.request.write_text("stop\r\n", encoding=encoding)
    assert run.requested() == "stop"


def test_a_killed_process_leaves_its_folder_to_others(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        run.running.write_text(json.dumps({"pid": other.pid, "started": time.time()}))
        (tmp_path / ".half.part").write_bytes(b"half")
        assert running_process(tmp_path) == other.pid
        with pytest.raises(RunFolderError, match=f"process {other.pid} trains here; stop it, or give another --name"):
            run.occupy()
        other.kill()
        other.wait()
    assert running_process(tmp_path) is None
    run.occupy()
    assert not (tmp_path / ".half.part").exists()


def test_the_number_of_a_process_on_another_machine_means_nothing_here(tmp_path: Path) -> None:
    claim = {"pid": os.getpid(), "started": time.time(), "machine": "another"}
    (tmp_path / "running.json").write_text(json.dumps(claim))
    assert running_process(tmp_path) is None
    RunFolder(tmp_path).occupy()
    assert running_process(tmp_path) == os.getpid()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"pid": "x", "started": 1}'])
def test_a_damaged_file_is_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "running.json").write_text(content)
    assert running_process(tmp_path) is None


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="run: cannot be made"):
        RunFolder(tmp_path / "file" / "run")


CLAIM = """
import sys
from pathlib import Path
from napari_bonescint.training.runs.run_folder import RunFolder, RunFolderError

run = RunFolder(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
try:
    run.occupy()
except RunFolderError as error:
    print(error, flush=True)
else:
    print("trains", flush=True)
    sys.stdin.readline()
"""


def test_of_those_that_start_at_once_one_trains(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLAIM, tmp_path]
    with ExitStack() as stack:
        rivals = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(4)
        ]
        assert all(rival.stdout and rival.stdout.readline() == "ready\n" for rival in rivals)
        for rival in rivals:
            assert rival.stdin is not None
            rival.stdin.write("\n")
            rival.stdin.flush()
        said = [rival.stdout.readline() for rival in rivals if rival.stdout]
        assert said.count("trains\n") == 1
        (first,) = [rival for rival, line in zip(rivals, said, strict=True) if line == "trains\n"]
        refused = f"{tmp_path}: process {first.pid} trains here; stop it, or give another --name.\n"
        assert said.count(refused) == 3
        first.kill()
        first.wait()
        # What a killed training leaves stands in nobody's way.
        RunFolder(tmp_path).occupy()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.rmdir()
    with pytest.raises(CannotWrite, match="run: cannot be written"):
        run.occupy()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has locks everywhere")
@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_a_folder_knows_no_locks_the_claim_decides(
    tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(code, "as NFS does where it is mounted so")

    monkeypatch.setattr(fcntl, "flock", refuse)
    run = RunFolder(tmp_path)
    run.occupy()
    assert running_process(tmp_path) == os.getpid()
    run.leave()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        run.running.write_text(json.dumps({"pid": other.pid, "started": time.time()}))
        with pytest.raises(RunFolderError, match=f"process {other.pid} trains here"):
            run.occupy()
        other.kill()
