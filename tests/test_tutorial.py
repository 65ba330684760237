"""docs/tutorial.md can be walked: its own commands in an empty folder, with fewer patients and steps."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from itertools import count
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.store.keys import keys_of
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.resources import shipped_folder
from tutorial import PAGE, Step, commands, shortened, written

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan

_SMALLER = {
    " --patients 60 --workers 2": " --patients 8 --first 30241",
    "train quick": "train quick.toml",
    " --minutes 6": "",
}
_FEWER_STEPS = {"steps": "8", "warm_up": "2", "check_every": "8", "average": "0.5", "batch": "2"}


def test_the_tutorial_leads_from_an_empty_folder_to_a_verdict_and_back(
    tmp_path: Path,
    points_file: Path,
    scan: Scan,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "tutorial"
    (folder / "department").mkdir(parents=True)
    shutil.copy(points_file, folder / "department" / "skeleton.npz")  # would take a minute to make
    monkeypatch.chdir(folder)
    _write_smaller_recipe(folder / "quick.toml")
    given = "\n".join(commands(PAGE.read_text(encoding="utf-8")))
    for large, small in _SMALLER.items():
        assert large in given
        given = given.replace(large, small)

    printed = []
    for command in given.splitlines():
        assert main(shlex.split(command)[1:]) == 0, command
        printed.append(capsys.readouterr().out)
        if command == "bonescint store create labels":
            _choose_parts(folder, scan)
    simulated, _, added, imported, listed, _, judged, used, back = printed

    scans = len(list((folder / "department" / "scans").iterdir()))
    assert simulated.endswith(f"8 patients with {scans} scans; their masks: department/masks.csv\n")
    assert scans > 8
    assert f"{scans} added, 0 there already, 0 failed." in added
    assert f"{scans} masks: 0 failed, 0 not counted as reviewed." in imported
    assert re.search(r"of 2 patients to learn from, .* of 1 patient to validate on, .* of 5 patients held out", listed)
    verdict = json.loads((folder / "verdict" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["recommendation"] in ("use", "keep")
    assert max(row["patients"] for row in verdict["rows"] if row["set"] == "corrected") == 5
    assert "report.html" in judged
    assert re.search(r"^\*\s+quick-[0-9a-f]{8} ", used, re.MULTILINE)
    assert re.search(r"^\*\s+phase-u-net-regions ", back, re.MULTILINE)


def _write_smaller_recipe(path: Path) -> None:
    text = (shipped_folder("train") / "recipes" / "quick.toml").read_text(encoding="utf-8")
    for name, value in _FEWER_STEPS.items():
        text, found = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
        assert found == 1
    path.write_text(text, encoding="utf-8")


def _choose_parts(folder: Path, scan: Scan) -> None:
    """Give the store a secret by which five of the eight patients judge, one validates and two train."""
    identities = {
        identity.patient: identity
        for identity in map(read_identity, sorted((folder / "department" / "scans").iterdir()))
    }
    for number in count():
        secret = f"{number:064x}".encode()
        parts = [part_of_patient(keys_of(secret, scan, identity).patient) for identity in identities.values()]
        if parts.count(Part.JUDGED) == 5 and parts.count(Part.VALIDATING) == 1:
            break
    (folder / "labels" / "secret").write_bytes(secret)


def test_the_page_is_told_what_each_command_printed() -> None:
    steps = [Step("bonescint one", "first\n", 60, 30), Step("bonescint two", "second\n", 120, 90)]
    place = "<!-- made by benchmarks/tutorial.py: begin -->\nold\n<!-- end -->\n"
    page = written(f"a\n{place}b\n{place}c\n{place}d", steps)
    assert [page.index(part) for part in ("first", "b\n", "second", "c\n", "| together | 3.0 | 2.0 |")] == sorted(
        page.index(part) for part in ("first", "b\n", "second", "c\n", "| together | 3.0 | 2.0 |")
    )
    assert "old" not in page
    assert "(other programs ran meanwhile, so the clock tells too much)" in page
    with pytest.raises(ValueError, match="a place after each command"):
        written(place, steps)


def test_long_output_is_shortened_to_its_ends() -> None:
    assert shortened("a\nb\n") == "a\nb"
    assert shortened("\n" + "word " * 40) == f"{'word ' * 22}word\n  {'word ' * 16}word"
    assert shortened("cell  " * 40) == f"{('cell  ' * 40)[:116]} …"
    lines = shortened("\n".join(map(str, range(30)))).splitlines()
    assert lines == ["0", "1", "2", "3", "…", "25", "26", "27", "28", "29"]


def test_the_page_has_a_place_for_each_command_and_its_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    steps = [Step(command, "", 0, 0) for command in commands(page)]
    assert len(steps) == 9
    written(page, steps)
