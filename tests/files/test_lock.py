from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from filelock import FileLock

from napari_bonescint.files.lock import take

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from filelock import FileLock
from napari_bonescint.files.lock import take

lock = FileLock(sys.argv[1])
print(take(lock), flush=True)
input()
"""


def test_one_at_a_time_holds_a_lock(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert take(one)
    assert not take(other)
    assert not take(other, patience=0.1)
    other.release()
    assert not take(other)
    one.release()
    assert take(other)
    assert not take(one)
    del other
    assert take(one)
    one.release()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    command = [sys.executable, "-c", HOLDER, tmp_path / "lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not take(lock)
        other.kill()
        other.wait()
        assert take(lock)
    lock.release()
