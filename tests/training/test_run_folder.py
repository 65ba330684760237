from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.atomic import CannotWrite
from napari_bonescint.training.run_folder import RunFolder, RunFolderError, running_process

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
