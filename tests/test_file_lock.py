from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from napari_bonescint.file_lock import FileLock

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
from pathlib import Path
from napari_bonescint.file_lock import FileLock

lock = FileLock(Path(sys.argv[1]))
print(lock.take(), flush=True)
input()
"""


def test_one_at_a_time_holds_it(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert one.take()
    assert not other.take()
    assert not other.take(patience=0.1)
    other.release()
    assert not other.take()
    one.release()
    assert other.take()
    assert not one.take()
    del other
    assert one.take()
    one.release()


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    command = [sys.executable, "-c", HOLDER, tmp_path / "lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not lock.take()
        other.kill()
        other.wait()
        assert lock.take()
    lock.release()
