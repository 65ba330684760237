"""`bonescint train` from a label store, in this process."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.cli import main
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part, part_of_patient
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.inference.model_card import read_card
from napari_bonescint.resources import shipped_folder
from napari_bonescint.training.loop.recipe import read_recipe
from napari_bonescint.training.runs.event_log import read_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan

TINY = """\
name = "tiny"
description = "For tests"
architecture = "fdn-5"
outputs = 1
grid_mm = 12.0
rows = 48
columns = 24
batch = 2
keep_phases = [4]
learning_rate = 0.001
warm_up = 1
steps = 2
dice_weight = 0.5
average = 0.9
seed = 1
"""


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def store(tmp_path: Path, scan: Scan) -> LabelStore:
    """One scan, corrected; of a patient who is trained on."""
    mask = np.zeros(scan.counts.shape, np.uint8)
    mask[:, 20:110, 25:40] = 1
    while True:
        store = LabelStore.create(tmp_path / f"store-{len(list(tmp_path.iterdir()))}")
        case = store.add(scan)
        store.save(case, mask, Origin.empty(), annotator="Ada", reviewed=True, names_regions=False)
        if part_of_patient(store.files(case).facts().patient_key) is Part.TRAINED:
            return store


def train(recipe_file: Path, *options: object) -> int:
    runs = recipe_file.parent / "runs"
    return main(
        ["train", str(recipe_file), "--runs", str(runs), "--device", "cpu", "--workers", "0", *map(str, options)]
    )


def test_a_store_a_start_and_a_name_make_a_model(
    recipe_file: Path, store: LabelStore, make_model: Callable[..., ModelCard], capsys: pytest.CaptureFixture[str]
) -> None:
    start = make_model("begin", outputs=1)
    assert train(recipe_file, "--store", store.folder, "--start", start.weights_path, "--name", "ward-7") == 0
    run = recipe_file.parent / "runs" / "ward-7"
    card = read_card(run / "ward-7.json")
    assert card.training["started_from"][0]["model"] == "begin"
    assert "1 corrected scans of 1 patients" in card.training["data"]
    assert card.scores == []
    assert card.temperature == start.temperature
    assert [event["event"] for event in read_events(run / "log.jsonl")[0]] == ["data", "progress", "finished"]
    assert "ward-7: 1 cases, step 0" in capsys.readouterr().out
    assert train(recipe_file, "--store", store.folder, "--start", start.weights_path, "--name", "ward-7") == 0
    assert "All steps are done already; start a new training" in capsys.readouterr().out
    assert train(recipe_file, "--store", store.folder, "--name", "ward-7") == 1
    assert "started from begin (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "There is nothing to score on; give --held-out or --store."),
        (["--store", "missing"], "missing: does not exist"),
        (["--held-out", "."], "holds no cases to score on"),
    ],
)
def test_what_cannot_begin_says_why(
    recipe_file: Path, options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(recipe_file, *options) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["slow"], "there is no recipe 'slow'; give a file, or one of"),
        (["quick", "--name", "../x"], "is no name of letters, digits, dots and dashes"),
        (["quick", "--name", "nul"], "is no name of letters, digits, dots and dashes"),
        (["quick", "--minutes", "nan"], "'nan' is no time in minutes"),
        (["quick", "--minutes", "-1"], "'-1' is no time in minutes"),
        (["quick", "--minutes", "inf"], "'inf' is no time in minutes"),
        (["quick", "--workers", "-1"], "'-1' is no number from 0"),
        (["quick", "--workers", "1e3"], "'1e3' is no number from 0"),
        (["quick", "--devices", "0"], "'0' is no number from 1"),
        (["quick", "--nodes", "9" * 5000], "is no number from 1"),
        (["quick", "--cases", "x", "--simulate"], "not allowed with"),
        (["quick", "--start", "x", "--start-partial", "y"], "not allowed with"),
        (["quick", "--folds", "1"], "'1' is no number from 2"),
    ],
)
def test_a_wrong_command_says_why(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_start_that_fits_in_part_is_taken_only_if_that_is_asked_for(
    recipe_file: Path, store: LabelStore, make_model: Callable[..., ModelCard], capsys: pytest.CaptureFixture[str]
) -> None:
    # FDN-11 has two of FDN-5's ten tensors.
    start = make_model("begin", architecture="fdn-11", outputs=1)
    assert train(recipe_file, "--store", store.folder, "--start", start.weights_path) == 1
    assert "start from another model, or use --start-partial for those that fit." in capsys.readouterr().err
    assert train(recipe_file, "--store", store.folder, "--start-partial", start.weights_path) == 0
    (begun,) = read_card(recipe_file.parent / "runs" / "tiny" / "tiny.json").training["started_from"]
    assert (begun["model"], begun["of"]) == ("begin", 10)
    assert f"tiny: started from {begun['tensors']} of 10 tensors of begin" in capsys.readouterr().out


def test_the_time_on_this_computer_is_told_and_nothing_is_trained(
    recipe_file: Path, store: LabelStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(recipe_file, "--estimate", "--folds", "5") == 0
    told = capsys.readouterr().out
    assert re.match(r"tiny: 6 trainings of 2 steps of [\d.e-]+ s on .* take about less than a minute", told)
    assert not (recipe_file.parent / "runs").exists()


@pytest.mark.parametrize("name", ["quick", "full"])
def test_shipped_retraining_begins_from_the_default_model_and_looks_at_what_is_held_out(name: str) -> None:
    recipe = read_recipe(shipped_folder("train") / "recipes" / f"{name}.toml")
    assert recipe.start == ("phase-u-net-regions",)
    assert 0 < recipe.check_every < recipe.steps
