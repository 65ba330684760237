from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import torch

from napari_bonescint.inference.devices import DeviceError, choose_device, devices

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.inference.model_card import ModelCard


def test_auto_gives_a_device_that_works_and_a_reason() -> None:
    choice = choose_device("auto")
    torch.zeros(1, device=choice.device)
    assert choice.reason.startswith("GPU: " if torch.cuda.is_available() else "CPU: ")


def test_the_devices_of_this_computer_end_with_the_cpu() -> None:
    *gpus, last = devices()
    assert last == "cpu"
    assert len(gpus) == (torch.cuda.device_count() if torch.cuda.is_available() else 0)


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"There is no device cuda:99: PyTorch found \d+ CUDA devices"):
        choose_device("cuda:99")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:x", "cpu:1"])
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match="is not a device; choose auto, cpu, cuda or cuda:N"):
        choose_device(name)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_processes_that_name_no_gpu_take_them_in_turn(name: str) -> None:
    found = torch.cuda.device_count()
    chosen = [choose_device(name, turn).device for turn in range(2 * found)]
    assert chosen == 2 * [f"cuda:{number}" for number in range(found)]
    assert {choose_device("cuda:0", turn).device for turn in range(2 * found)} == {"cuda:0"}


def test_a_process_computes_on_as_many_cores_as_it_was_told(make_model: Callable[..., ModelCard]) -> None:
    code = (
        "import sys, pathlib, torch\n"
        "from napari_bonescint.inference.backends.torch_engine import TorchEngine\n"
        "from napari_bonescint.inference.devices import limit_cores, usable_cores\n"
        "from napari_bonescint.inference.model_card import read_card\n"
        "torch.set_num_threads(2)\n"
        "limit_cores(1)\n"
        "TorchEngine(read_card(pathlib.Path(sys.argv[1])))\n"
        "print(usable_cores(), torch.get_num_threads())"
    )
    words = [sys.executable, "-c", code, str(make_model().path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.split() == ["1", "1"]
