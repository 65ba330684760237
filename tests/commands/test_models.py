"""`bonescint models`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.cli import main
from napari_bonescint.commands.models import table
from napari_bonescint.inference.model_card import DEFAULT_MODEL, DEFAULTS, HOT_SPOT_MODEL, Half, Int8, shipped_models
from napari_bonescint.inference.model_registry import current_model, use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_the_shipped_models_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    of_purpose = {purpose: shipped_models(purpose) for purpose in DEFAULTS}
    cards = [card for shipped in of_purpose.values() for card in shipped]
    assert lines == table(cards, [shipped[0] for shipped in of_purpose.values()])
    (finding,) = [line for line in lines if line.startswith(f"*  {HOT_SPOT_MODEL} ")]
    assert "  hot spots  " in finding
    assert sum(line.startswith(f"*  {DEFAULT_MODEL} ") for line in lines) == 1


def test_a_line_tells_what_the_card_and_the_file_tell(make_model: Callable[..., ModelCard]) -> None:
    heading, line = table([make_model()])
    assert heading.split() == [
        "NAME",
        "ARCHITECTURE",
        "PARAMETERS",
        "OUTPUTS",
        "GRID",
        "FILE",
        "INT8",
        "HALF",
        "SCORES",
    ]
    # FDN-5 with 17 outputs instead of 1 has 16 more rows of 128 weights and a bias: 259,137 + 2,064.
    assert line.split() == ["tiny", "fdn-5", "261,201", "16", "regions", "9", "mm", "1.0", "MB", "not", "measured"]
    assert all(line[heading.index(word) - 1] == " " for word in heading.split())


def test_a_model_that_only_tells_bone_says_so(make_model: Callable[..., ModelCard]) -> None:
    (_, line) = table([make_model(outputs=1)])
    assert "  skeleton  " in line


@pytest.mark.parametrize(
    ("lost", "text"), [(0.0004, "-0.0004 Dice"), (-0.0001, "+0.0001 Dice"), (0.01, "-0.0100 Dice, not used")]
)
def test_what_eight_bit_integers_cost_is_told(make_model: Callable[..., ModelCard], lost: float, text: str) -> None:
    heading, line = table([replace(make_model(), int8=Int8([], lost, "simulated", 20, ""))])
    assert line[heading.index("INT8") : heading.index("HALF")].strip() == text


@pytest.mark.parametrize(("lost", "text"), [(0.00002, "-0.0000 Dice"), (0.002, "-0.0020 Dice, not used")])
def test_what_half_precision_costs_is_told(make_model: Callable[..., ModelCard], lost: float, text: str) -> None:
    half = Half("float16", lost, 161.8, "by rounding", "simulated", 15, "")
    heading, line = table([replace(make_model(), half=half)])
    assert line[heading.index("HALF") : heading.index("SCORES")].strip() == text


def test_every_score_has_a_line_below_the_heading(make_model: Callable[..., ModelCard]) -> None:
    scores = [
        {"metric": "skeleton Dice", "value": 0.9123, "spread": 0.0204, "data": "simulated test set", "scans": 40},
        {"metric": "regions Dice", "value": 0.8, "spread": None, "data": "simulated test set", "scans": 40},
    ]
    heading, *lines = table([replace(make_model(), scores=scores)])
    assert [line[heading.index("SCORES") :] for line in lines] == [
        "skeleton Dice 0.912 ± 0.020, simulated test set, 40 scans",
        "regions Dice 0.800, simulated test set, 40 scans",
    ]


def test_a_model_put_to_use_is_marked_and_serves_until_another_does(
    make_model: Callable[..., ModelCard], capsys: pytest.CaptureFixture[str]
) -> None:
    card = make_model()
    assert main(["models", "--use", str(card.weights_path)]) == 0
    _, first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith(f"*  tiny-{card.weights_sha256[:8]} ")
    assert [line.split()[1] for line in others if line.startswith("*")] == [HOT_SPOT_MODEL]
    assert current_model() == card

    assert main(["models", "--use", DEFAULT_MODEL]) == 0
    marked = [line for line in capsys.readouterr().out.splitlines() if line.startswith("*")]
    assert [line.split()[1] for line in marked] == [DEFAULT_MODEL, HOT_SPOT_MODEL]


@pytest.mark.parametrize(
    "change",
    [
        {"name": 5},
        {"name": "../../evil"},
        {"weights_sha256": ["ab"]},
        {"scores": [{"metric": "Dice", "value": "high", "data": "d", "scans": 1}]},
        {"grid_mm": {"a": 1}},
        None,
    ],
)
def test_a_damaged_card_in_the_registry_locks_no_command(
    make_model: Callable[..., ModelCard], change: dict[str, object] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    card = use(make_model())
    assert card.path is not None
    facts = json.loads(card.path.read_text())
    card.path.write_text("[" * 100_000 if change is None else json.dumps({**facts, **change}))
    (card.path.parent / "gone.json").symlink_to(card.path.parent / "absent")
    assert main(["models"]) == 0
    told = capsys.readouterr()
    assert DEFAULT_MODEL in told.out
    assert "evil" not in told.out
    assert told.err.startswith("warning: There is no model 'tiny-")
    assert main(["models", "--use", DEFAULT_MODEL]) == 0
    assert current_model().name == DEFAULT_MODEL


def test_a_model_whose_weights_are_gone_is_listed_as_such(make_model: Callable[..., ModelCard]) -> None:
    card = make_model()
    card.weights_path.unlink()
    assert " missing " in table([card])[1]


@pytest.mark.parametrize("content", ["", "{}", "5", '{"model": 5}', '{"model": "../evil.safetensors"}', "[" * 100_000])
def test_what_names_no_model_in_use_is_one_sentence(
    models_folder: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models_folder.mkdir(parents=True)
    (models_folder / "current").write_text(content)
    assert main(["models"]) == 0
    told = capsys.readouterr()
    assert DEFAULT_MODEL in told.out
    assert len(told.err.splitlines()) == 1
