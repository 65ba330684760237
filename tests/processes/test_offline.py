"""What other packages would send is not sent, whatever the user's environment says."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distributions
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Attempts = Callable[[], list[str]]


def run_at_home(code: str, home: Path) -> None:
    """Run Python as on a user's computer, where no variable says that it is a test; what it sends is watched."""
    told = {"CI", "TF_BUILD", "JENKINS_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in told}
    # Where packages keep what is to last.
    environment |= dict.fromkeys(("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(home))
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=home, check=True)


@pytest.mark.parametrize("agreed", [True, False])
@pytest.mark.parametrize(
    "first",
    [
        "import napari_bonescint",
        "from napari_bonescint.batch.cluster_worker import carry_out",
        "from napari_bonescint.inference.child_serving import serve",
    ],
)
def test_openvino_sends_nothing_and_keeps_no_identifier(
    tmp_path: Path, attempts: Attempts, first: str, agreed: bool
) -> None:
    pytest.importorskip("openvino")
    if agreed:
        folder = tmp_path / ("Intel Corporation" if os.name == "nt" else "intel")
        folder.mkdir()
        (folder / "openvino_telemetry").write_text("1")
    before = sorted(tmp_path.rglob("*"))
    run_at_home(f"{first}; import openvino; openvino.convert_model", tmp_path)
    assert attempts() == []
    assert sorted(tmp_path.rglob("*")) == before


CONVERT = """
import napari_bonescint
import openvino, torch

openvino.convert_model(torch.jit.trace(torch.nn.ReLU(), torch.zeros(1)))
"""


def test_converting_a_network_sends_nothing(tmp_path: Path, attempts: Attempts) -> None:
    pytest.importorskip("openvino")
    run_at_home(CONVERT, tmp_path)
    assert attempts() == []


def test_without_this_package_openvino_would_send_and_this_shows(tmp_path: Path, attempts: Attempts) -> None:
    if not {"openvino", "openvino-telemetry"} <= {found.name for found in distributions()}:
        pytest.skip("OpenVINO is not installed")
    run_at_home("import openvino", tmp_path)
    assert any("google-analytics" in attempt for attempt in attempts())
    assert list(tmp_path.rglob("openvino_ga_cid"))


COMPUTE = """
import onnxruntime
from onnx import TensorProto, helper

ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "graph", ends[:1], ends[1:])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""


@pytest.mark.parametrize("switch", ["0", "1"])
def test_onnx_runtime_sends_nothing_and_keeps_no_identifier(
    tmp_path: Path, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", switch)
    run_at_home("import napari_bonescint" + COMPUTE, tmp_path)
    assert attempts() == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
