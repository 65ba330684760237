"""Writes a result again and again, and is killed each time one step later; run as a program.

    python killed_writer.py FOLDER SCENE

SCENE holds, pickled, a scan, the segmentation that is there already or None, and the new one. Each attempt has a folder
of its own in FOLDER, `00`, `01` and so on; the last is not killed.
"""

from __future__ import annotations

import itertools
import os
import pickle
import sys
from pathlib import Path

from napari_bonescint.results import Result

STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def write(folder: Path, kill_before: int) -> None:
    """Write the new result, and be killed before the step of this number."""
    scan, old, new = pickle.loads(Path(sys.argv[2]).read_bytes())  # noqa: S301 - our own
    result = Result(folder, "scan")
    folder.mkdir()
    if old is not None:
        result.write(scan, old)
    steps = itertools.count()

    def step(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and str(folder) in str(arguments[0]) and next(steps) == kill_before:
            os._exit(1)

    sys.addaudithook(step)
    result.write(scan, new)


def main() -> None:
    """Begin one process after the other."""
    for number in itertools.count():
        child = os.fork()
        if not child:
            write(Path(sys.argv[1]) / f"{number:02}", number)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            return


if __name__ == "__main__":
    main()
