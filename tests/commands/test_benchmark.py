"""`bonescint benchmark`."""

from __future__ import annotations

import os
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING

import psutil
import pytest

from napari_bonescint.cli import main
from napari_bonescint.inference.backends.choice import CPU_ENGINES
from napari_bonescint.inference.backends.comparisons import OnnxRuntimeEngine
from napari_bonescint.inference.benchmark import NAIVE
from running import Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def test_every_engine_is_measured_on_both_grids_and_agrees(
    make_model: Callable[..., ModelCard],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")  # so that there is no compiler, which would take its time
    card = make_model(architecture="dln-11")
    page = tmp_path / "speed.md"
    assert main(["benchmark", "--model", str(card.weights_path), "--out", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    out = capsys.readouterr().out
    assert text in out
    assert "tiny, openvino-int8: tiny is not calibrated for int8." in out
    assert "tiny, torch.compile: needs a C++ compiler." in out
    installed = all(find_spec(name) for name in ("onnx", "onnxruntime"))
    assert ("tiny, ONNX Runtime: needs `pip install onnx onnxruntime`." in out) != installed
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "| tiny |" in line]
    # The sample is 1024 x 256 pixels of 2.26 mm, and the model's grid 9 mm.
    assert [row[1:3] for row in rows] == [
        [shape, engine]
        for shape in ("1024 x 256", "257 x 64")
        for engine in (NAIVE, *CPU_ENGINES, *([OnnxRuntimeEngine.name] if installed else []))
        if "int8" not in engine
    ]
    for row in rows:
        assert float(row[3]) > 0
        assert re.fullmatch(r"\d+ MB", row[7]) or not row[7]
        assert float(row[8]) < 1e-4
        assert float(row[9]) > 0.999


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process alone")
@pytest.mark.parametrize("group", [True, False])
def test_ctrl_c_ends_it_and_what_it_measures(make_model: Callable[..., ModelCard], group: bool) -> None:
    card = make_model(architecture="dln-11")  # whose pass over the large grid takes the least
    with Running(["benchmark", "--model", card.weights_path]) as running:
        running.read_until(f"1024 x 256, {NAIVE}: ")
        # The next measurement has begun, or does so now.
        started = running.descendants
        running.interrupt(group=group)
        assert running.finish() == 130
        assert running.complaints == ["Interrupted."]
        _, left = psutil.wait_procs(started, 60)
        assert left == []
