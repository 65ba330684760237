"""Pages of the documentation that are made from the code when mkdocs builds the site.

`command-line.md` comes from the parsers of `bonescint`, `results.md` from `train/RESULTS.md` with its picture,
`changelog.md` from `CHANGELOG.md`, and `NAME.md` from running the notebook `docs/NAME.ipynb`. mkdocs.yml names this
file as a hook.
"""

from __future__ import annotations

import argparse
import html
import os
import re
import sys
import tempfile
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
_NOTEBOOK_SECONDS = 600
"""For one cell of a notebook."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those in docs/."""
    from mkdocs.structure.files import File  # in the extra [docs] only; the tests need no mkdocs

    results = (_ROOT / "train" / "RESULTS.md").read_text(encoding="utf-8")
    pages = {
        "command-line.md": command_line_page(_parser()),
        "results.md": results,
        "changelog.md": (_ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for notebook in sorted((_ROOT / "docs").glob("*.ipynb")):
        pages[f"{notebook.stem}.md"] = notebook_page(notebook)
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    for picture in re.findall(r"!\[[^]]*]\(([^)]+)\)", results):
        files.append(File.generated(config, picture, abs_src_path=str(_ROOT / "train" / picture)))
    return files


def notebook_page(path: Path) -> str:
    """Run a notebook in an empty folder, and make a page of its cells with their output; a failing cell is an error."""
    import nbformat  # all in the extra [docs] only
    from nbclient import NotebookClient
    from nbconvert import MarkdownExporter

    # Lines that begin with an exclamation mark find the commands of this installation.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(notebook, kernel_name="python3", timeout=_NOTEBOOK_SECONDS, resources=resources)
        client.extra_arguments = ["--log-level=ERROR"]
        client.execute()
    page, _ = MarkdownExporter().from_notebook_node(notebook)
    # The site's own style is for tables without a class.
    page = re.sub(r"<style scoped>.*?</style>\n", "", str(page), flags=re.DOTALL)
    return page.replace('<table border="1" class="dataframe">', "<table>")


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
