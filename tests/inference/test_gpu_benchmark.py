from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

from napari_bonescint.inference.gpu_benchmark import (
    gpu_markdown,
    gpu_page,
    measure_on_gpu,
    network_flops,
    peak_flops,
    precisions_of,
)
from napari_bonescint.networks.zoo import build_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.scan import Scan


def test_the_work_of_fdn_5_is_that_of_its_convolutions() -> None:
    # By hand: four 3x3 convolutions and a 1x1 head, each for every pixel of 64 x 48.
    a_pixel = 9 * (1 * 64 + 64 * 64 + 64 * 128 + 128 * 128) + 128 * 1
    assert network_flops("fdn-5", 1, (64, 48)) == 2 * a_pixel * 64 * 48


def test_the_work_of_a_dilated_net_does_not_depend_on_its_form() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    with torch.device("meta"):
        network = build_network("fdn-11")
        network.computation = "dilated"  # type: ignore[assignment]
        with FlopCounterMode(display=False) as counter:
            network(torch.empty(1, 1, 64, 48))
    assert network_flops("fdn-11", 1, (64, 48)) == counter.get_total_flops()


def test_the_work_of_transposed_convolutions_counts() -> None:
    # DLN-11 at 32 x 32, by hand: convolutions at 32, 16, 8, 4 and 2 rows, then 4x4 kernels from 1 row on.
    widths, total = (8, 16, 32, 64, 128), 0
    for k, (before, width) in enumerate(zip((1, 8, 16, 32, 64), widths, strict=True)):
        total += 9 * (before * width + width * width) * (32 >> k) ** 2
    for i, (wide, narrow) in enumerate(zip((128, 64, 32, 16, 8), (64, 32, 16, 8, 8), strict=True)):
        total += 16 * wide * narrow * (1 << i) ** 2
    total += 8 * 32**2
    assert network_flops("dln-11", 1, (32, 32)) == 2 * total


def test_each_model_is_measured_on_both_grids_against_the_peak(
    make_model: Callable[..., ModelCard], scan: Scan
) -> None:
    card = make_model(architecture="dln-11", outputs=1)
    timings = list(measure_on_gpu([card], scan, "cpu", matrix=64, passes=1))
    assert [timing.shape for timing in timings] == [(1024, 256), (66, 33)]
    for timing in timings:
        assert timing.largest_difference < 1e-4
        assert timing.dice > 0.999
        assert timing.share == pytest.approx(timing.flops / timing.milliseconds * 1000 / timing.peak)
    page = gpu_markdown(timings, "a CPU")
    assert "## On a CPU" in page
    assert page.count("| tiny |") == 2


def test_the_script_for_a_bare_machine_needs_no_napari_and_no_dicom() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "gpu.py"
    tiny = ["--device", "cpu", "--model", "fdn-5", "--rows", "16", "--columns", "8", "--matrix", "32"]
    code = f"""
import runpy, sys
for name in ("napari", "qtpy", "pydicom", "nibabel", "skimage", "tifffile", "platformdirs", "psutil", "openvino"):
    sys.modules[name] = None
sys.argv = ["gpu.py", *{tiny!r}, "--precision", "float32"]
runpy.run_path({str(script)!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    timings = [line for line in done.stdout.splitlines() if line.startswith("fdn-5, 16 x 8, float32, ")]
    assert [line.split(", ")[3] for line in timings] == ["phase-split"] * 2 + ["dilated"] * 2
    assert "float32: the engine chooses " in done.stdout


def test_a_peak_is_positive_in_each_precision() -> None:
    assert peak_flops("cpu", "float32", 32) > 0
    assert peak_flops("cpu", "bfloat16", 32) > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_device_nothing_is_measured(make_model: Callable[..., ModelCard], scan: Scan) -> None:
    assert gpu_page([make_model()], scan) == ""


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_is_measured_in_each_precision(make_model: Callable[..., ModelCard], scan: Scan) -> None:
    page = gpu_page([make_model(architecture="fdn-13")], scan)
    assert all(page.count(f"| {precision} |") == 2 for precision in precisions_of("cuda:0"))
