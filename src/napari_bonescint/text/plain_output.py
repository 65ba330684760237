"""Make text from files harmless for terminals and spreadsheets.

A file's name, an annotator or a card may hold escape sequences, by which a terminal clears itself, renames its window
or answers as if somebody typed. It may hold marks that change the direction of text. A spreadsheet computes a cell
that begins with an equals sign.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")

# C0 and C1 controls, delete, line and paragraph separators, marks of text direction, and surrogates (halves of
# characters), which terminals cannot show.
_OBEYED = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_A_LINE = re.compile(rf"[\t\n{_OBEYED}]")
_IN_TEXT = re.compile(rf"(?!\r\n)[{_OBEYED}]")
# Progress bars move the cursor up, down, and back to the beginning of their line.
_MOVES = re.compile(r"(?:\x1b\[A|\n)+")
_BAR = re.compile(r"(\r?)(.*?)(\r?)", re.DOTALL)
# Longer than the paths that people have.
_ABSURD = re.compile(r"(\S{100})\S{300,}")
_FORMULA = re.compile(r"[=+\-@\t\r]")


def one_line(text: str) -> str:
    r"""A text as one harmless line: ``\x1b[2J`` for an escape sequence, ``\n`` for a line feed."""
    return _IN_A_LINE.sub(_escaped, text)


def sentence(text: str) -> str:
    """A sentence about a file as one harmless line; absurdly long quotations are cut off."""
    return _ABSURD.sub(r"\1...", one_line(text))


def table_cell(value: T) -> T | str:
    """A value for a cell of a CSV table: text that a spreadsheet would compute gets an apostrophe before it."""
    if isinstance(value, str):
        return f"'{value}" if _FORMULA.match(value) else value
    return value


@contextmanager
def plain_output() -> Iterator[None]:
    """Make all printed text harmless for the terminal; progress bars may still move within their lines."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_PlainStream(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _PlainStream:
    """A text stream that makes printed text harmless."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Print the text; return its length."""
        self._stream.write(text if _MOVES.fullmatch(text) else _plain(text))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Print all lines."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _plain(text: str) -> str:
    """The harmless form of printed text."""
    bar = _BAR.fullmatch(text)
    if bar is None:
        return _IN_TEXT.sub(_escaped, text)
    begin, middle, end = bar.groups()
    return f"{begin}{_IN_TEXT.sub(_escaped, middle)}{end}"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
