import pytest
import torch

from napari_bonescint.inference.devices import DeviceError, choose_device


def test_auto_gives_a_device_that_works_and_a_reason() -> None:
    choice = choose_device("auto")
    torch.zeros(1, device=choice.device)
    assert choice.reason.startswith("GPU: " if torch.cuda.is_available() else "CPU: ")


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeviceError, match=r"There is no device cuda:99: PyTorch found \d+ CUDA devices"):
        choose_device("cuda:99")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:x", "cpu:1"])
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(DeviceError, match="is no device; choose auto, cpu, cuda or cuda:N"):
        choose_device(name)
