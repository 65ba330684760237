from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from napari_bonescint.archive.receiving.private_folder import PrivateFolder, private_root

PROCESS = """
import sys, time
from napari_bonescint.archive.receiving.private_folder import PrivateFolder
folder = PrivateFolder()
(folder.path / "patient.dcm").write_text("identity")
print(folder.path, flush=True)
if sys.argv[1] == "stay":
    time.sleep(60)
"""


def test_it_is_closed_to_others_and_deleted_at_the_end() -> None:
    with PrivateFolder() as folder:
        (folder / "patient.dcm").write_text("identity")
        if os.name != "nt":
            assert folder.stat().st_mode & 0o077 == 0
    assert [each for each in private_root().iterdir() if each.is_dir()] == []


def test_it_is_deleted_at_exit() -> None:
    subprocess.run([sys.executable, "-c", PROCESS, "leave"], check=True, capture_output=True)
    assert [each for each in private_root().iterdir() if each.is_dir()] == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_what_a_killed_process_left_is_deleted_at_the_next_start_and_that_of_a_living_one_is_not() -> None:
    killed, living = (
        subprocess.Popen([sys.executable, "-c", PROCESS, "stay"], stdout=subprocess.PIPE, text=True) for _ in range(2)
    )
    try:
        left, used = (process.stdout.readline().strip() for process in (killed, living))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert os.path.exists(left)  # noqa: PTH110
        with PrivateFolder():
            assert not os.path.exists(left)  # noqa: PTH110
            assert os.path.exists(used)  # noqa: PTH110
    finally:
        for process in (killed, living):
            process.kill()
            process.wait()
            process.stdout.close()
