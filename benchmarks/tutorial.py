"""Run the commands of docs/tutorial.md in an empty folder, and write their output and times into the page.

    python benchmarks/tutorial.py --work /tmp/tutorial --write docs/tutorial.md

The page gets the output of each command after the command, and all times at its end. The registry of accepted models is
inside --work, so your own models stay unchanged. Other programs lengthen the wall-clock time; processor time is shown,
too.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.files.atomic import require_empty, write_bytes_atomically
from napari_bonescint.inference.devices import usable_cores
from napari_bonescint.inference.model_registry import FOLDER_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
_SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SEEN = re.compile(r"(<!-- made by benchmarks/tutorial.py: begin -->\n).*?(<!-- end -->)", re.DOTALL)
_WIDTH, _FIRST, _LAST = 118, 4, 5


class Step(NamedTuple):
    """A command of the page with its output.

    Attributes
    ----------
    command : str
    printed : str
        Its standard output.
    seconds, processor_seconds : float
        Wall-clock time, and processor time of all its processes.
    """

    command: str
    printed: str
    seconds: float
    processor_seconds: float


def commands(page: str) -> list[str]:
    """The `bonescint` commands of a page in their order, without comments."""
    lines = (line for block in _SHELL.findall(page) for line in block.splitlines())
    return [line.partition("#")[0].strip() for line in lines if line.startswith("bonescint ")]


def walk(given: Iterable[str], folder: Path) -> list[Step]:
    """Run commands in a folder, one after the other.

    Raises
    ------
    SystemExit
        If one of them fails; its output is printed.
    """
    environment = os.environ | {FOLDER_VARIABLE: str(folder / "accepted-models")}
    steps = []
    for command in given:
        print(f"$ {command}", flush=True)
        words = [sys.executable, "-m", "napari_bonescint", *shlex.split(command)[1:]]
        clock, before = time.monotonic(), _of_children()
        ended = subprocess.run(words, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
        step = Step(command, ended.stdout, time.monotonic() - clock, _of_children() - before)
        print(step.printed, f"({step.seconds:.0f} s, {step.processor_seconds:.0f} s of a core)", flush=True)
        if ended.returncode:
            raise SystemExit(f"{command}: ended with status {ended.returncode}.")
        steps.append(step)
    return steps


def written(page: str, steps: Sequence[Step]) -> str:
    """Put the output of each command, and the times, into the marked places of a page.

    Raises
    ------
    ValueError
        If the page lacks a place for a command or for the times.
    """
    found = [f"```text\n{shortened(step.printed)}\n```" for step in steps] + [times(steps)]
    if len(_SEEN.findall(page)) != len(found):
        raise ValueError("the page needs a place after each command, and one for the times")
    places = iter(found)
    return _SEEN.sub(lambda place: f"{place[1]}\n{next(places)}\n\n{place[2]}", page)


def shortened(printed: str) -> str:
    """The first and last lines of a command's output; rows of tables are cut to the width of the page."""
    lines = printed.strip("\n").splitlines()
    if len(lines) > _FIRST + _LAST + 1:
        lines = [*lines[:_FIRST], "…", *lines[-_LAST:]]
    return "\n".join(part for line in lines for part in _fitting(line))


def _fitting(line: str) -> list[str]:
    if len(line) <= _WIDTH:
        return [line]
    return [f"{line[: _WIDTH - 2]} …"] if "  " in line.strip() else textwrap.wrap(line, _WIDTH, subsequent_indent="  ")


def times(steps: Sequence[Step]) -> str:
    """A table of the time of each command."""
    rows = [(f"`{step.command}`", step.seconds, step.processor_seconds) for step in steps]
    rows.append(("together", sum(step.seconds for step in steps), sum(step.processor_seconds for step in steps)))
    table = "\n".join(f"| {name} | {clock / 60:.1f} | {used / 60:.1f} |" for name, clock, used in rows)
    # Without other programs, at least one core is always busy.
    busy = sum(step.seconds for step in steps) > sum(step.processor_seconds for step in steps)
    return (
        f"On {usable_cores()} cores, in minutes by the clock and in minutes of a core"
        + (" (other programs ran meanwhile, so the clock tells too much)" if busy else "")
        + ":\n\n"
        f"| command | clock | core |\n| --- | --- | --- |\n{table}"
    )


def _of_children() -> float:
    """Processor seconds of all child processes that have ended."""
    used = os.times()
    return used.children_user + used.children_system


def main() -> None:
    """Run the commands, and write their output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="empty or new folder to run in")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the page to update")
    options = parser.parse_args()
    require_empty(options.work)
    options.work.mkdir(parents=True, exist_ok=True)
    steps = walk(commands(PAGE.read_text(encoding="utf-8")), options.work)
    if options.write is not None:
        page = options.write.read_text(encoding="utf-8")
        write_bytes_atomically(options.write, written(page, steps).encode())


if __name__ == "__main__":
    main()
