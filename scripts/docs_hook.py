"""Pages of the documentation that are made from the code when mkdocs builds the site.

`command-line.md` comes from the parsers of `bonescint`, `results.md` from `train/RESULTS.md` with its picture, and
`changelog.md` from `CHANGELOG.md`. mkdocs.yml names this file as a hook.
"""

from __future__ import annotations

import argparse
import html
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

# Help texts break their lines by the width of the terminal.
os.environ["COLUMNS"] = "100"

from napari_bonescint.cli import _parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_ROOT = Path(__file__).parents[1]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those in docs/."""
    from mkdocs.structure.files import File  # in the extra [docs] only; the tests need no mkdocs

    results = (_ROOT / "train" / "RESULTS.md").read_text(encoding="utf-8")
    pages = {
        "command-line.md": command_line_page(_parser()),
        "results.md": results,
        "changelog.md": (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", results):
        files.append(File.generated(config, picture, abs_src_path=str(_ROOT / "train" / picture)))
    return files


def command_line_page(parser: argparse.ArgumentParser) -> str:
    """Every command with its usage, its arguments and its examples, as Markdown."""
    return "\n".join(
        (
            "# Command line",
            "",
            "Made from the parsers of `bonescint`: it says what `--help` says in this version.",
            "",
            *_sections(parser),
        )
    )


def _sections(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"## {parser.prog}"
    yield ""
    yield _escaped(parser.description or "")
    yield ""
    usage = parser.format_usage().removeprefix("usage: ")
    yield f"```text\n{usage.rstrip()}\n```"
    yield ""
    rows = [row for action in parser._actions if (row := _row(parser, action))]
    if rows:
        yield "| argument | meaning |"
        yield "|---|---|"
        yield from rows
        yield ""
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```"
        yield ""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                yield from _sections(command)


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str | None:
    """One line of the table of arguments; None for --help and for lists of commands, which have sections."""
    if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
        return None
    formatter = parser._get_formatter()
    placeholder = formatter._format_args(action, formatter._get_default_metavar_for_positional(action).upper())
    if action.option_strings:
        placeholder = formatter._format_args(action, formatter._get_default_metavar_for_optional(action))
    names = ", ".join(f"{name} {placeholder}".strip() for name in action.option_strings) or placeholder
    meaning = " ".join(formatter._expand_help(action).split()) if action.help else ""
    cells = (f"<code>{html.escape(names)}</code>", _escaped(meaning))
    return "| " + " | ".join(cell.replace("|", "&#124;") for cell in cells) + " |"


def _escaped(text: str) -> str:
    """Text outside of backquotes with the signs escaped that Markdown takes for its own."""
    parts = text.split("`")
    return "`".join(part if number % 2 else re.sub(r"([*_\[\]<>])", r"\\\1", part) for number, part in enumerate(parts))
