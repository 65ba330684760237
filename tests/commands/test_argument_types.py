"""Kinds of arguments: what is taken, and the sentence about what is not."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.commands import argument_types
from napari_bonescint.inference.model_card import DEFAULT_MODEL, ModelCard
from napari_bonescint.inference.model_registry import use

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeModel = Callable[..., ModelCard]


def refused(kind: Callable[[str], object], text: str) -> str:
    with pytest.raises(argparse.ArgumentTypeError) as error:
        kind(text)
    return str(error.value)


def test_a_folder_need_not_exist_and_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "new" / "folder", tmp_path / ("x" * 300)):
        assert argument_types.folder(str(path)) == path
    assert refused(argument_types.folder, str(tmp_path / "file")) == f"{tmp_path / 'file'} is a file, not a folder"


@pytest.mark.parametrize("text", ["auto", "cpu", "cuda", "cuda:0", "cuda:17"])
def test_devices_need_not_exist(text: str) -> None:
    assert argument_types.device(text) == text


@pytest.mark.parametrize("text", ["tpu", "", "CPU", "cuda:", "cuda:-1", "cuda:0 ", "cuda:0\n", "cuda:٣", "cuda0"])
def test_what_is_no_device(text: str) -> None:
    assert refused(argument_types.device, text) == f"{text!r} is none of auto, cpu, cuda and cuda:N"


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("007", 7), ("123456", 123456)])
def test_counts(text: str, number: int) -> None:
    assert argument_types.count(text) == number


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "", "two", "1e3", "²", " 2"])
def test_what_is_no_count(text: str) -> None:
    assert refused(argument_types.count, text) == f"{text!r} is no number from 1"


def test_models_by_name_by_file_and_the_one_in_use(make_model: MakeModel) -> None:
    card = make_model()
    assert argument_types.model(str(card.weights_path)) == card
    assert argument_types.model("current").name == DEFAULT_MODEL
    used = use(card)
    assert argument_types.model("current") == used == argument_types.model("tiny")


def test_what_is_no_model(make_model: MakeModel, models_folder: Path) -> None:
    assert refused(argument_types.model, "fdn-99").startswith("There is no model 'fdn-99'; choose one of ")
    card = make_model()
    assert card.path is not None
    card.path.unlink()
    assert "tiny.json" in refused(argument_types.model, str(card.weights_path))
    models_folder.mkdir(parents=True)
    (models_folder / "current").write_text("{")
    assert "does not name a model" in refused(argument_types.model, "current")


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    """A program with a command that states all that several commands state alike."""
    parser = argparse.ArgumentParser(prog="bonescint")
    command = argument_types.add_command(
        parser.add_subparsers(), "weigh", "weigh scans", "Weighs\n  scans.", "examples:\n  bonescint weigh --data a b"
    )
    argument_types.add_paths_to(command, "--data", "folders")
    argument_types.add_report_to(command, "weights.csv")
    argument_types.add_device_to(command)
    return parser


def test_what_commands_state_alike(parser: argparse.ArgumentParser, tmp_path: Path) -> None:
    assert vars(parser.parse_args(["weigh"])) == {"data": [], "report": None, "device": "auto"}
    words = ["weigh", "--data", "a", "b", "--report", str(tmp_path), "--device", "cuda:1"]
    assert vars(parser.parse_args(words)) == {"data": [Path("a"), Path("b")], "report": tmp_path, "device": "cuda:1"}


def test_help_is_laid_out_as_it_is_written(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["weigh", "--help"])
    text = capsys.readouterr().out
    assert "Weighs\n  scans.\n" in text
    assert "examples:\n  bonescint weigh --data a b\n" in text
