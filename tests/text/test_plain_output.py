"""Nothing from a file makes a terminal or a spreadsheet do anything."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from tqdm import tqdm

from napari_bonescint.cli import main
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.text.plain_output import one_line, plain_output, table_cell

if TYPE_CHECKING:
    from pathlib import Path

NASTY = "a\x1b[2J\x1b]0;owned\x07\r\nb\x9b2J\u202egnp.dcm"


def printed(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with plain_output():
        print(text, flush=True)
    assert sys.stdout is stream
    return stream.getvalue()


def test_a_text_becomes_one_line_of_characters_that_are_seen() -> None:
    assert one_line(NASTY) == "a\\x1b[2J\\x1b]0;owned\\x07\\r\\nb\\x9b2J\\u202egnp.dcm"
    assert one_line("Gerät 2, 骨.dcm") == "Gerät 2, 骨.dcm"


def test_what_is_printed_keeps_its_lines_and_loses_its_powers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed("one\ntwo\tthree\r\nGerät", monkeypatch) == "one\ntwo\tthree\r\nGerät\n"
    assert printed("\x1b[31mred", monkeypatch) == "\\x1b[31mred\n"
    assert printed("scan\rfake: all is well", monkeypatch) == "scan\\rfake: all is well\n"
    assert printed("\u202egnp.exe\x00", monkeypatch) == "\\u202egnp.exe\\x00\n"


def test_progress_bars_move_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    for plain in (False, True):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        if plain:
            with plain_output():
                _bars()
        else:
            _bars()
        told.append(stream.getvalue())
    assert "\x1b[A" in told[0]
    assert told[1] == told[0]


def _bars() -> None:
    form = "{l_bar}{bar:10}|"
    with tqdm(total=2, file=sys.stderr, bar_format=form) as outer, tqdm(total=2, file=sys.stderr, bar_format=form) as b:
        outer.update()
        b.update()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_is_never_computed(text: str) -> None:
    assert table_cell(text) == f"'{text}"


def test_other_cells_stay() -> None:
    assert [table_cell(value) for value in ("a=1", "", 5, -0.5, None)] == ["a=1", "", 5, -0.5, None]


def test_sentences_about_files_with_odd_names_are_one_line(tmp_path: Path) -> None:
    for told in (
        str(BonescintError(NASTY)),
        str(Refusal(tmp_path / NASTY, "is odd.")),
        sentence_of(Refusal(tmp_path / NASTY, "is odd.")),
    ):
        assert told.isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
@pytest.mark.parametrize("command", [["segment", "--out", "out"], ["store", "add", "store"]])
def test_a_files_name_is_printed_as_text(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["store", "create", "store"]) == 0
    name = "scan\x1b[2J\nbonescint: all is well\u202e.dcm"
    (tmp_path / name).write_bytes(b"no scan")
    capsys.readouterr()
    assert main([*command, name]) == 1
    told = capsys.readouterr()
    assert "\\x1b[2J\\nbonescint: all is well\\u202e" in told.err
    assert all(line.isprintable() for line in (told.out + told.err).splitlines())
    assert not any(line.startswith("bonescint: all is well") for line in told.err.splitlines())


def test_what_a_sentence_quotes_is_cut_off_where_it_is_absurdly_long() -> None:
    assert str(BonescintError(f"a.csv: {'[' * 3000} is no region.")) == f"a.csv: {'[' * 100}... is no region."
    path = "/".join(["folder"] * 40)
    assert str(BonescintError(f"{path}: is gone.")) == f"{path}: is gone."
