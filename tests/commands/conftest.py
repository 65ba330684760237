from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from commands.measuring import counts, regions
from commands.segmenting import Ended
from napari_bonescint.cli import main
from napari_bonescint.formats.masks.label_tiff import write_labels

if TYPE_CHECKING:
    from collections.abc import Callable

    from commands.measuring import Measure, WriteScan
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


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    return tmp_path / "masks"


@pytest.fixture
def thresholds(models_folder: Path) -> None:
    """The model for hot spots is not there, so that thresholds find those of scans that look like no body."""
    models_folder.mkdir(parents=True)
    (models_folder / "current-hot-spots").write_text('{"model": "lost"}', encoding="utf-8")


@pytest.fixture
def measure(out: Path, capsys: pytest.CaptureFixture[str]) -> Measure:
    """Run `bonescint measure` on the CPU."""

    def run(*arguments: str | Path) -> Ended:
        status = main(["measure", *map(str, arguments), "--out", str(out), "--device", "cpu"])
        said = capsys.readouterr()
        without_model = "warning: There is no model 'lost';"
        lines = [line for line in said.err.splitlines() if not line.startswith(without_model)]
        return Ended(status, said.out.splitlines(), lines)

    return run


@pytest.fixture
def given(write_nm: WriteScan, masks: Path, thresholds: None) -> Callable[..., Path]:
    """Writes a scan and the mask of its regions; the scan's path."""

    def write(name: str = "scan.dcm", *, brighter: int = 0, views: int = 2, **attributes: Any) -> Path:
        path = write_nm(name, counts=counts(views) + brighter, **attributes)
        mask = masks / Path(name).with_suffix(".regions.tif")
        mask.parent.mkdir(parents=True, exist_ok=True)
        write_labels(mask, regions(views), None)
        return path

    return write
