"""Devices, precision and processes of a training, by lightning-fabric."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

import torch

from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.model_scores import describe_hardware
from napari_bonescint.inference.devices import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

_MOST_WORKERS = 16

Precision = Literal["32-true", "bf16-mixed"]


class AccelerationError(BonescintError):
    """The requested devices, processes or machines cannot train."""


def choose_precision(device: str) -> Precision:
    """Mixed bfloat16 if the device supports it natively; otherwise single precision, which is then faster."""
    if device == "cpu":
        native = torch.cpu._is_avx512_bf16_supported()
    else:
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if native else "32-true"


def choose_workers(device: str, processes: int = 1) -> int:
    """Number of worker processes that make examples, for each training process.

    One worker makes about 20 views a second (`benchmarks/training_speed.py`): more than a CPU needs, and a fraction of
    what a GPU needs. The result of the training does not depend on it.

    Parameters
    ----------
    device : str
        PyTorch's name.
    processes : int
        Number of training processes on this machine.
    """
    if device == "cpu":
        return 1
    return max(1, min(_MOST_WORKERS, usable_cores() // processes - 1))


def start_fabric(device: str, processes: int = 1, nodes: int = 1) -> Fabric:
    """Start the processes that train together.

    Parameters
    ----------
    device : str
        PyTorch's name; several processes use the GPUs from the first one on.
    processes : int
        Number of processes on each machine. The calling command is started again for each but the first process,
        unless torchrun or Slurm's srun has started all.
    nodes : int
        Number of machines.

    Raises
    ------
    AccelerationError
        If lightning-fabric is not installed, there are fewer GPUs than processes, or torchrun or srun has started
        another number of processes.
    """
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    except ImportError as error:
        raise AccelerationError(
            "Training needs lightning-fabric; install it in the panel Retrain, or with: pip install "
            "'napari-bonescint[train]'."
        ) from error
    # Its start message is in the model card, too.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    environment = _environment(processes, nodes)
    kind, _, index = device.partition(":")
    if kind == "cuda":
        if processes > (found := torch.cuda.device_count()):
            raise AccelerationError(f"There are {found} GPUs for {processes} processes; ask for no more than {found}.")
        # The same seed gives the same weights on the same device.
        torch.backends.cudnn.deterministic = True
    together = processes > 1 or nodes > 1
    starting: AbstractContextManager[None] = nullcontext()
    strategy: str | DDPStrategy = "ddp" if together else "auto"
    if together and nodes == 1 and isinstance(environment, LightningEnvironment):
        from napari_bonescint.training.loop.one_computer import OneComputer, starting_others

        starting, strategy = starting_others(), OneComputer()
    fabric = Fabric(
        accelerator=kind,
        devices=processes if kind == "cpu" or together else [int(index or 0)],
        num_nodes=nodes,
        strategy=strategy,
        precision=choose_precision(device),
        plugins=[environment],
    )
    with starting:
        fabric.launch()
    return fabric


@contextmanager
def one_fails_all(processes: int) -> Iterator[None]:
    """Do what needs all processes that train together.

    Parameters
    ----------
    processes : int
        How many there are.

    Raises
    ------
    AccelerationError
        If one of them is no more.
    """
    try:
        yield
    except RuntimeError as error:
        # Only NCCL raises an error of its own; Gloo names itself in the text.
        lost = isinstance(error, torch.distributed.DistError) or "gloo" in str(error).lower()
        if processes == 1 or not lost:
            raise
        raise AccelerationError(
            "Another process of this training has ended, and the others cannot go on without it; why stands in its own "
            "output. The same command goes on from the last checkpoint."
        ) from error


def sum_over_processes(values: torch.Tensor) -> torch.Tensor:
    """Sum a tensor over all processes that train together, with gradients for each process."""
    total: torch.Tensor = _SumOverProcesses.apply(values)  # type: ignore[no-untyped-call]
    return total


class _SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: torch.Tensor) -> torch.Tensor:  # noqa: ARG004  (autograd gives it)
        return _summed(values)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # noqa: ARG004
        return _summed(gradient)


def _summed(values: torch.Tensor) -> torch.Tensor:
    total = values.clone()
    torch.distributed.all_reduce(total)
    return total


def _environment(processes: int, nodes: int) -> ClusterEnvironment:
    """Detect torchrun or srun, which have started all processes; otherwise the first process starts the others.

    By default, lightning-fabric would wait forever in a Slurm batch script without srun, or if the numbers of processes
    differ.
    """
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    asked = f"--devices {processes} --nodes {nodes}"
    if TorchElasticEnvironment.detect():
        starter, started = "torchrun", int(os.environ["WORLD_SIZE"])
    else:
        starter, started = "srun", int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
        if started == 1:
            if nodes > 1 and "MASTER_ADDR" not in os.environ:
                raise AccelerationError(f"{asked}: start this command with torchrun or srun on all machines at once.")
            return LightningEnvironment()
    if started != processes * nodes:
        raise AccelerationError(f"{starter} has started {started} processes, but {asked} makes {processes * nodes}.")
    if starter == "torchrun":
        return TorchElasticEnvironment()
    if "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise AccelerationError("Give Slurm --ntasks-per-node; --ntasks alone does not assign processes to machines.")
    return SLURMEnvironment()


def describe_acceleration(fabric: Fabric) -> str:
    """Name of the hardware that trains, with the number of processes if there are several."""
    hardware = describe_hardware(str(fabric.device))
    return hardware if fabric.world_size == 1 else f"{fabric.world_size} processes, each on {hardware}"
