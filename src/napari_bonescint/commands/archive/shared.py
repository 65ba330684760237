"""What the actions of `bonescint archive` share: their arguments, the archive they open, and JSON lines."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_bonescint.archive import opening
from napari_bonescint.archive.setup.setups_file import find_setup
from napari_bonescint.commands import argument_types
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.text.formatting import counted, table_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.records import Found


def add_named_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], int],
    name: str,
    summary: str,
    examples: str,
    description: str = "",
) -> argparse.ArgumentParser:
    """Add an action of this name."""
    description = description or f"{summary[0].upper()}{summary[1:]}."
    parser = argument_types.add_command(actions, name, summary, description, examples)
    parser.add_argument("--json", action="store_true", help="print a JSON object in each line, for other programs")
    parser.set_defaults(run=run)
    return parser


def add_action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    run: Callable[[argparse.Namespace], int],
    name: str,
    summary: str,
    example: str,
    description: str = "",
) -> argparse.ArgumentParser:
    """Add an action, whose first argument is the archive."""
    parser = add_named_action(actions, run, name, summary, f"example:\n  {example}", description)
    parser.add_argument("archive", metavar="ARCHIVE", help="name of an archive that was set up")
    return parser


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[Archive]:
    """The archive that the arguments name, closed at the end."""
    with opening.opened(find_setup(arguments.archive)) as archive:
        yield archive


def print_json(facts: Any) -> None:
    """Print one object in one line."""
    facts = asdict(facts) if is_dataclass(facts) and not isinstance(facts, type) else facts
    print(json.dumps(facts, default=_plain), flush=True)


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; empty cells stand for what the archive does not say."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    print("\n".join(table_lines([list(headings), *cells])))


def warn_about(found: Found[Any], archive: str) -> None:
    """Print a warning if an answer is not complete."""
    if found.left_out:
        print_error(
            f"warning: {archive}: {counted(found.left_out, 'answer')} had no valid identifier, and is left out."
        )
    if not found.complete:
        print_error(f"warning: {archive}: has more than these {len(found.items)}; search for something narrower.")


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not written as JSON")
