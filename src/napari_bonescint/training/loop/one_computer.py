"""Processes of one computer that train together find each other by a file, and talk over the loopback alone.

Left to itself PyTorch lets them meet at a port that is open to the whole network, and asks the network's server for the
names of both ends of each connection.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from lightning_fabric.strategies.ddp import DDPStrategy

from napari_bonescint.child_process import end_with_starter, starter_named

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEETING = "BONESCINT_MEETING"
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}
"""What the loopback is called; on Windows Gloo takes no name."""


class OneComputer(DDPStrategy):
    """Training by several processes of this computer, on a device each."""

    def setup_environment(self) -> None:
        """Let the processes find each other; each of them calls this."""
        environment = self.cluster_environment
        if environment is None:
            raise ValueError("the numbers of the processes are unknown")
        if self.accelerator is not None:
            self.accelerator.setup_device(self.root_device)
        backend = self._get_process_group_backend()
        torch.distributed.init_process_group(
            backend,
            store=torch.distributed.FileStore(os.environ[_MEETING], self.num_processes),  # type: ignore[attr-defined]
            rank=environment.local_rank(),
            world_size=self.num_processes,
            timeout=self._timeout,
            device_id=self.root_device if self.root_device.type != "cpu" else None,
        )
        if backend == "nccl":
            atexit.register(torch.distributed.destroy_process_group)
        super().setup_environment()


@contextmanager
def starting_others() -> Iterator[None]:
    """Start the other processes within this: they end with this one, and find the place where all meet."""
    end_with_starter()
    if name := _LOOPBACK.get(sys.platform):
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = name
    if _MEETING not in os.environ:
        folder = tempfile.mkdtemp(prefix="bonescint-")
        os.environ[_MEETING] = str(Path(folder) / "meeting")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with starter_named(os.environ):
        yield
