"""Functions that run on a worker of a Dask cluster: segment one scan, and return its outcome.

They may run on another computer, with other files and another version of this package.
"""

from __future__ import annotations

import os
import pickle
import socket
import threading
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint import __version__
from napari_bonescint.batch.job import Outcome, compute, describe, failed, load, read, write
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.devices import limit_cores
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.inference.model_registry import find_model

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.batch.job import Job, Settings
    from napari_bonescint.inference.model_card import ModelCard
    from napari_bonescint.inference.segmenter import Segmenter

_MODELS_KEPT = 2


class ClusterError(BonescintError):
    """A cluster that does not answer, or cannot do the jobs."""


class WorkerAnswer(NamedTuple):
    """The return value of a worker.

    Attributes
    ----------
    outcome : Outcome or BonescintError
        Outcome of the job, or the reason why no job can be done.
    note : str
        For `ProgressListener.note`; none if empty.
    unseen_on : str
        Name of the worker's computer if the scan's files do not exist there; otherwise empty.
    """

    outcome: Outcome | BonescintError
    note: str = ""
    unseen_on: str = ""


def packed(job: Job, settings: Settings, marker: Path) -> bytes:
    """The arguments of `carry_out` as bytes for a worker."""
    return zlib.compress(pickle.dumps((job, settings, __version__, marker)))


def carry_out_packed(arguments: bytes) -> WorkerAnswer:
    """Call `carry_out` with arguments from `packed`; never raises, because Dask would log the arguments."""
    job, *others = pickle.loads(zlib.decompress(arguments))  # noqa: S301  (a user's own)
    try:
        return carry_out(job, *others)
    except Exception as error:
        return WorkerAnswer(failed(job, f"{type(error).__name__}: {error}".partition("\n")[0]))


def carry_out(job: Job, settings: Settings, version: str, marker: Path) -> WorkerAnswer:
    """Segment one scan on a worker."""
    try:
        _require_same(version, marker)
        scan = read(job, settings)
        if isinstance(scan, Outcome):
            return WorkerAnswer(scan, unseen_on="" if are_here(job) else socket.gethostname())
        model = _loaded(settings)
        # Other threads of this worker may read and write at the same time.
        with model.computing:
            segmentation = compute(job, scan, lambda: model.segmenter, _ignore)
        done = segmentation if isinstance(segmentation, Outcome) else write(job, scan, segmentation, settings)
        return WorkerAnswer(done, describe(model.segmenter))
    except BonescintError as error:
        return WorkerAnswer(error)


class _Model(NamedTuple):
    segmenter: Segmenter
    computing: threading.Lock


_models: dict[object, _Model] = {}
_loading = threading.Lock()


def _loaded(settings: Settings) -> _Model:
    """The model, which stays loaded for later jobs."""
    from distributed import get_worker

    key = (settings.card.name, settings.card.weights_sha256, settings.device)
    with _loading:
        if key not in _models:
            # The number of threads of a Dask worker is the number of cores that it may use.
            limit_cores(get_worker().state.nthreads)
            for old in list(_models)[: 1 - _MODELS_KEPT]:
                del _models[old]
            _models[key] = _Model(load(replace(settings, card=card_here(settings.card))), threading.Lock())
        return _models[key]


def card_here(card: ModelCard) -> ModelCard:
    """The card of the same model on this computer: at the same path, or a shipped or accepted one."""
    if card.weights_path.exists():
        return card
    with suppress(ModelError):
        if (found := find_model(card.name)).weights_sha256 == card.weights_sha256:
            return found
    raise ModelError(
        f"{card.weights_path}: does not exist on {socket.gethostname()}, where a Dask worker runs; all computers need "
        "the same version of napari-bonescint and the same paths."
    )


def _require_same(version: str, marker: Path) -> None:
    host = socket.gethostname()
    if version != __version__:
        raise ClusterError(other_version(f"on {host}", __version__, version))
    if not marker.is_file():
        raise ClusterError(
            f"{marker.parent}: is another folder on {host}, where a Dask worker runs, than on this computer; all "
            "computers need the same paths to the scans and the results, as on a network folder."
        )


def other_version(where: str, its: str, ours: str) -> str:
    """The message about a worker with another version."""
    return (
        f"A Dask worker {where} has version {its} of napari-bonescint, this computer has {ours}; install the same one."
    )


def _ignore(_fraction: float) -> None:
    pass


def are_here(job: Job) -> bool:
    """True if the files of a scan exist on this computer."""
    # Unlike Path.exists, os.path.exists does not raise for forbidden folders.
    return all(os.path.exists(path) for path in job.source.paths)  # noqa: PTH110
