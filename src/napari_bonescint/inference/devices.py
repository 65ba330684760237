"""Choose the device that a network runs on, and state the reason."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from napari_bonescint.errors import BonescintError

_NO_GPU = "CPU: this computer has no NVIDIA GPU"
_core_limit: int | None = None


class DeviceChoice(NamedTuple):
    """A device and the reason for it.

    Attributes
    ----------
    device : str
        PyTorch's name: ``cpu`` or ``cuda:0``.
    reason : str
        One phrase for the user: ``CPU: this computer has no NVIDIA GPU``.
    """

    device: str
    reason: str


class DeviceError(BonescintError):
    """The requested device does not exist on this computer."""


def choose_device(requested: str = "auto", turn: int = 0) -> DeviceChoice:
    """Choose the device to compute on.

    Parameters
    ----------
    requested : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    turn : int
        Number of this process among several that share the GPUs. If no GPU is named, process n takes GPU n modulo
        the number of GPUs.

    Raises
    ------
    DeviceError
        If the requested CUDA device does not exist.
    """
    if requested == "cpu":
        return DeviceChoice("cpu", "CPU: chosen by the user")
    if requested == "auto" and not _has_nvidia_driver():
        return DeviceChoice("cpu", _NO_GPU)
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if requested == "auto":
        if found:
            device = f"cuda:{turn % found}"
            name = torch.cuda.get_device_name(device)
            try:
                torch.ones(1, device=device).add_(1).item()
            except RuntimeError as error:  # the card is full, or too old for this build of PyTorch
                return DeviceChoice("cpu", f"CPU: {name} cannot be used ({str(error).partition(chr(10))[0]})")
            return DeviceChoice(device, f"GPU: {name}")
        if torch.version.cuda is None:
            return DeviceChoice("cpu", "CPU: the installed PyTorch is a build for CPUs")
        return DeviceChoice("cpu", _NO_GPU)
    kind, _, index = requested.partition(":")
    if kind != "cuda" or (index and not index.isdecimal()):
        raise DeviceError(f"{requested!r} is not a device; choose auto, cpu, cuda or cuda:N.")
    if int(index or 0) >= found:
        raise DeviceError(f"There is no device {requested}: PyTorch found {found} CUDA devices; choose auto or cpu.")
    device = f"cuda:{int(index or turn % found)}"
    return DeviceChoice(device, f"GPU: {torch.cuda.get_device_name(device)}, chosen by the user")


def devices() -> list[str]:
    """The devices of this computer, the fastest first: ``cuda:0``, ..., ``cpu``."""
    if not _has_nvidia_driver():
        return ["cpu"]
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [*(f"cuda:{index}" for index in range(found)), "cpu"]


def limit_cores(cores: int) -> None:
    """Limit the number of cores that this process computes on, because it shares the computer with others."""
    global _core_limit
    _core_limit = cores


def core_limit() -> int | None:
    """The limit set by `limit_cores`; None if there is no limit."""
    return _core_limit


def cpu_facts() -> tuple[str, str]:
    """The CPU's name and its features separated by spaces; features are empty except on Linux."""
    facts = {}
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            facts[key.strip()] = value.strip()
    return facts.get("model name") or platform.processor() or platform.machine(), facts.get("flags", "")


def usable_cores() -> int:
    """Number of processor cores that this process may use."""
    if _core_limit is not None:
        return _core_limit
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _has_nvidia_driver() -> bool:
    """True if NVIDIA's driver is installed. Without it, PyTorch need not be imported, which takes up to two seconds."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
