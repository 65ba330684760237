"""Connect the training processes of one computer by a file and the loopback interface only.

By default, PyTorch opens a port to the whole network, and looks up host names for each connection.
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

from napari_bonescint.processes.child import end_with_starter, starter_named

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEETING = "BONESCINT_MEETING"
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}
"""Name of the loopback interface; Gloo takes no name on Windows."""


class OneComputer(DDPStrategy):
    """Training by several processes of this computer, each on its own device."""

    def setup_environment(self) -> None:
        """Connect this process with the others; each of them calls this method."""
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
    """Context in which to start the other processes: they end with this one, and know the file to meet at."""
    end_with_starter()
    if name := _LOOPBACK.get(sys.platform):
        os.environ["GLOO_SOCKET_IFNAME"] = os.environ["NCCL_SOCKET_IFNAME"] = name
    if _MEETING not in os.environ:
        folder = tempfile.mkdtemp(prefix="bonescint-")
        os.environ[_MEETING] = str(Path(folder) / "meeting")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with starter_named(os.environ):
        yield
