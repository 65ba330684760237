"""Lines and progress bars on a terminal; a line never breaks the bar below it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_bonescint.text.plain_output import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def print_line(line: str) -> None:
    """Print a line on standard output."""
    with tqdm.external_write_mode(sys.stdout):
        print(one_line(line), flush=True)


def print_error(line: str) -> None:
    """Print a line on standard error."""
    with tqdm.external_write_mode(sys.stderr):
        print(one_line(line), file=sys.stderr, flush=True)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float], object]]:
    """Show a progress bar on standard error; yields a function that takes the fraction done, 0 to 1."""
    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=1, desc=title, disable=None, leave=False, delay=1, bar_format=form) as bar:
        yield lambda fraction: bar.update(fraction - bar.n)
