import sys

import pytest
import torch

from napari_bonescint.inference.devices import usable_cores
from napari_bonescint.training.loop.fabric import (
    AccelerationError,
    choose_precision,
    choose_workers,
    describe_acceleration,
    one_fails_all,
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
    assert choose_workers("cuda:0") == max(1, min(16, cores - 1))
    assert choose_workers("cuda", processes=cores) == 1


def test_more_processes_than_gpus_are_refused() -> None:
    found = torch.cuda.device_count()
    with pytest.raises(AccelerationError, match=f"There are {found} GPUs for {found + 2} processes"):
        start_fabric("cuda:0", found + 2)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)
    with pytest.raises(
        AccelerationError,
        match=r"Training needs lightning-fabric; install it in the panel Retrain, or with: pip install",
    ):
        start_fabric("cpu")


def test_processes_that_others_started_are_as_many_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_NTASKS_PER_NODE", "2")
    with pytest.raises(AccelerationError, match="srun has started 4 processes, but --devices 2 --nodes 1 makes 2"):
        start_fabric("cpu", 2)
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE")
    with pytest.raises(AccelerationError, match="Give Slurm --ntasks-per-node"):
        start_fabric("cpu", 2, 2)


def test_a_batch_script_of_slurm_trains_alone_without_srun(monkeypatch: pytest.MonkeyPatch) -> None:
    # What Slurm sets in a batch script, and lightning-fabric takes for four processes that srun has started.
    monkeypatch.setenv("SLURM_NTASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "0")
    assert start_fabric("cpu").world_size == 1


def test_several_machines_need_somebody_who_starts_them() -> None:
    with pytest.raises(AccelerationError, match="--nodes 2: start this command with torchrun or srun"):
        start_fabric("cpu", 1, 2)


def test_the_end_of_another_process_is_told_in_a_sentence() -> None:
    gloo = RuntimeError("[gloo/transport/tcp/pair.cc:553] Connection closed by peer [127.0.0.1]:18624.")
    for error in (gloo, torch.distributed.DistBackendError("NCCL error: remote process exited")):
        with pytest.raises(AccelerationError, match="Another process of this training has ended"), one_fails_all(2):
            raise error
    with pytest.raises(RuntimeError, match="shapes"), one_fails_all(2):
        raise RuntimeError("The shapes do not match")
