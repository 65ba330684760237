import sys

import pytest
import torch

from napari_bonescint.inference.devices import usable_cores
from napari_bonescint.training.acceleration import (
    AccelerationError,
    choose_precision,
    choose_workers,
    describe_acceleration,
    start_fabric,
)


def test_one_process_trains_on_the_cpu() -> None:
    fabric = start_fabric("cpu")
    assert (fabric.world_size, fabric.device.type) == (1, "cpu")
    assert fabric.strategy.precision.precision == choose_precision("cpu")
    assert describe_acceleration(fabric).endswith("cores")


def test_a_gpu_is_fed_by_as_many_processes_as_there_are_cores() -> None:
    cores = usable_cores()
    assert choose_workers("cpu") == 1
    assert choose_workers("cuda:0") == max(1, min(8, cores - 1))
    assert choose_workers("cuda", processes=cores) == 1


def test_more_processes_than_gpus_are_refused() -> None:
    found = torch.cuda.device_count()
    with pytest.raises(AccelerationError, match=f"There are {found} GPUs for {found + 2} processes"):
        start_fabric("cuda:0", found + 2)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(AccelerationError, match=r"Training needs lightning-fabric; install it with: pip install"):
        start_fabric("cpu")
