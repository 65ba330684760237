"""Parts of the documentation that are made from the code say what the code says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import draw_networks
import pytest
from docs_hook import command_line_page

from napari_bonescint import __version__
from napari_bonescint.cli import _parser
from napari_bonescint.gui.samples import SAMPLES
from napari_bonescint.measurement.files import HOT_SPOT_COLUMNS

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("name", "draw"),
    [("phase-split.svg", draw_networks.draw_phase_split), ("fdn-family.svg", draw_networks.draw_family)],
)
def test_the_pictures_of_the_networks_are_those_that_the_script_draws(name, draw):
    assert (DOCS / name).read_text(encoding="utf-8") == draw()


def test_the_picture_of_the_family_has_the_published_parameters():
    picture = (DOCS / "fdn-family.svg").read_text(encoding="utf-8")
    assert all(f">{count}<" in picture for count in ("259,137", "295,033", "488,793", "1,964,249"))


def test_every_command_has_a_section_with_its_options():
    page = command_line_page(_parser())
    sections = dict(re.findall(r"^## (bonescint[^\n]*)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    assert {
        "bonescint segment",
        "bonescint measure",
        "bonescint train",
        "bonescint store merge",
        "bonescint benchmark",
    } <= set(sections)
    assert re.search(r"<code>--workers N</code> \| \w+", sections["bonescint segment"])
    assert "bonescint segment scan.dcm --out masks" in sections["bonescint segment"]
    assert "<code>STORE</code>" in sections["bonescint store check"]


def test_signs_of_tables_and_markdown_in_help_texts_stay_text():
    rows = [line for line in command_line_page(_parser()).splitlines() if line.startswith("| ")]
    assert all(row.count("|") == 3 for row in rows)
    assert any("NAME&#124;FILE" in row for row in rows)


def test_the_example_of_the_python_page_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(r"^```python\n(.*?)^```$", (DOCS / "python.md").read_text(encoding="utf-8"), re.M | re.S)
    shutil.copy(SAMPLES / "simulated.dcm", tmp_path / "scan.dcm")
    monkeypatch.chdir(tmp_path)
    exec(example, {})  # noqa: S102
    printed = capsys.readouterr().out
    assert printed.startswith("(2, ")
    assert "bone scan index" in printed
    assert f"rows x {len(HOT_SPOT_COLUMNS) + 1} columns]" in printed


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_output_and_their_commands_exist(path):
    """`make docs` runs them."""
    cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    lines = [line for cell in cells for line in cell["source"] if line.startswith("!bonescint")]
    assert lines
    for line in lines:
        words = line.partition(">")[0].removeprefix("!bonescint").split()
        assert _parser().parse_args(words).run


def test_the_citation_is_of_this_version():
    citation = (DOCS.parent / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {__version__}\n" in citation
