"""What commands and windows load at their start is light: no module brings torch, Qt or napari along unasked."""

from __future__ import annotations

import json
import subprocess
import sys

# Prints every module of the package that was imported, and which of the heavy packages came along.
_IMPORT_ALL = """
import importlib, json, pkgutil, sys
import napari_bonescint
unwanted, loads = set(json.loads(sys.argv[1])), []
for module in pkgutil.walk_packages(napari_bonescint.__path__, "napari_bonescint."):
    parts = module.name.split(".")
    if not any(".".join(parts[1:end]) in unwanted for end in range(2, len(parts) + 1)) and parts[-1] != "__main__":
        importlib.import_module(module.name)
        loads.append(module.name)
heavy = ("torch", "napari", "qtpy", "pynetdicom", "dicomweb_client", "keyring")
print(json.dumps([loads, [name for name in heavy if name in sys.modules]]))
"""

# These compute with torch.
_COMPUTING = [
    "networks.dense",
    "networks.dln",
    "networks.fdn",
    "networks.unet",
    "networks.uri_net",
    "networks.zoo",
    "inference.backends.torch_engine",
    "inference.backends.torch_gpu_engine",
    "inference.gpu_benchmark",
    "inference.benchmark",
    "evaluation.model_scores",
    "training.data.batches",
    "training.data.loader",
    "training.loop.best_weights",
    "training.loop.checkpoint",
    "training.loop.export",
    "training.loop.fabric",
    "training.loop.losses",
    "training.loop.one_computer",
    "training.loop.trainer",
    "training.loop.validation",
    "training.runs.cross_validation",
    "training.runs.session",
    "training.runs.step_time",
    "training.runs.tensorboard",
    "training.runs.time_needed",
]

# These speak with archives, and are imported when one is opened.
_SPEAKING = [
    "archive.backends",
    "archive.connection.association",
    "archive.connection.http_session",
    "archive.connection.limited_connection",
    "archive.receiving.receiver",
    "archive.receiving.server",
    "archive.sending.c_store",
]


def _imported_without(unwanted: list[str]) -> tuple[list[str], list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL, json.dumps(unwanted)], capture_output=True, text=True, check=True
    )
    imported, heavy = json.loads(done.stdout)
    return imported, heavy


def test_commands_import_neither_napari_nor_qt_nor_what_computes_nor_what_speaks_with_archives() -> None:
    imported, heavy = _imported_without([*_COMPUTING, *_SPEAKING, "gui"])
    assert heavy == []
    assert {"napari_bonescint.commands.segment", "napari_bonescint.training.runs.launch"} <= set(imported)


def test_the_window_imports_neither_torch_nor_what_speaks_with_archives() -> None:
    imported, heavy = _imported_without([*_COMPUTING, *_SPEAKING])
    assert not {"torch", "pynetdicom", "dicomweb_client", "keyring"} & set(heavy)
    assert "napari_bonescint.gui.retrain.panel" in imported


_OPEN = """
import sys
from napari_bonescint.gui.reader import get_reader
from napari_bonescint.gui.sample_files import SIMULATED
print(len(get_reader(str(SIMULATED))(str(SIMULATED))), *({"nibabel", "scipy.linalg", "torch"} & set(sys.modules)))
"""


def test_the_first_scan_waits_for_nothing_that_only_masks_need() -> None:
    done = subprocess.run([sys.executable, "-c", _OPEN], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2"]
