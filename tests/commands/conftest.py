from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from commands.segmenting import Ended
from napari_bonescint.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard

    MakeModel = Callable[..., ModelCard]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def model(make_model: MakeModel) -> str:
    return str(make_model().weights_path)


@pytest.fixture
def segment(out: Path, model: str, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run `bonescint segment` with the small model on the CPU."""

    def run(*arguments: str | Path, model: str = model) -> Ended:
        words = [str(word) for word in arguments]
        status = main(["segment", *words, "--out", str(out), "--model", model, "--device", "cpu"])
        said = capsys.readouterr()
        return Ended(status, said.out.splitlines(), said.err.splitlines())

    return run
