from __future__ import annotations

import gc
import hashlib
import os
import signal
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from pydicom.uid import ExplicitVRLittleEndian

from dicom_files import ANTERIOR, PEAK, POSTERIOR, nm_dataset, save, some_counts
from napari_bonescint.anatomy import REGIONS
from napari_bonescint.corrections.work_list import record
from napari_bonescint.inference import model_registry
from napari_bonescint.inference.backends import compiled_cache
from napari_bonescint.inference.model_card import SEGMENTING, ModelCard, read_card
from napari_bonescint.inference.preprocessing import HOT_SPOT_NORMALISATION, NORMALISATION
from napari_bonescint.scan import Scan, View, ViewName
from napari_bonescint.simulation.case import SOURCES, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from napari_bonescint.simulation.geometry import BonePoints

# Other programs may slow a test, which is no fault of the code.
settings.register_profile("busy computer", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy computer")

pytest_plugins = ("network_guard.plugin", "archive_peers.fixtures")


# Three workers share the files. Those that take longest come first, the longest of them first: all end together.
_SLOWEST = (
    "test_tutorial.py",
    "test_panel.py",
    "test_cluster.py",
    "test_benchmark.py",
    "test_whole_loop.py",
    "test_train_script.py",
    "test_panel_drafts.py",
    "test_segment_many.py",
    "test_segmenting.py",
    "test_result_target.py",
    "test_child.py",
    "test_contrast.py",
    "test_wheel.py",
    "test_cross_validation.py",
    "test_reader.py",
    "test_training_crashes.py",
    "test_toolbox.py",
    "test_session.py",
    "test_panel_by_keys.py",
    "test_zoo.py",
    "test_simulate.py",
    "test_notice_list.py",
    "test_trainer.py",
    "test_choice.py",
    "test_schedule_script.py",
    "test_comparisons.py",
    "test_one_computer.py",
    "test_correcting_scan.py",
    "test_scan_display.py",
    "test_writers.py",
    "test_prior_and_report.py",
    "test_fdn.py",
    "test_device_chooser.py",
    "test_processes.py",
    "test_loader.py",
    "test_widget.py",
)
_RANK = {name: rank for rank, name in enumerate(_SLOWEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _RANK.get(item.path.name, len(_RANK)))


def pytest_collection_finish() -> None:
    """Spare the collections of garbage, one or more for each viewer, a walk over all modules that tests have loaded.

    They come as seldom as viewers are closed: by default, the hundred thousands of objects of one bring about hundreds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def _ctrl_c_is_heard() -> None:
    """Ctrl-C is ignored in the background of a shell; processes that tests start would ignore it, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def workers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share, for what one of them makes and the others need, too."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(autouse=True, scope="session")
def _compiled_models_of_the_tests_alone(workers_folder: Path) -> Iterator[None]:
    """Tests, and the processes they start, leave the user's own cache alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(compiled_cache.FOLDER_VARIABLE, str(workers_folder / "compiled"))
        yield


@pytest.fixture(scope="session")
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Empty ones; `mktemp` would read the names of those of all tests before, to find the next number."""
    where = tmp_path_factory.mktemp("own")
    return (where / str(number) for number in count())


@pytest.fixture
def _own_folder(_folders: Iterator[Path]) -> Path:
    folder = next(_folders)
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def models_folder(_own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of accepted models, which no test finds filled with the developer's own."""
    folder = _own_folder / "models"
    monkeypatch.setenv(model_registry.FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture(autouse=True)
def records_folder(_own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of remembered work lists, which no test finds filled with the developer's own."""
    folder = _own_folder / "work"
    monkeypatch.setenv(record.FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture
def make_model(tmp_path: Path) -> Callable[..., ModelCard]:
    """Makes a small model with random weights on disk: real files, meaningless masks."""

    def make(
        name: str = "tiny",
        architecture: str = "fdn-5",
        outputs: int = len(REGIONS),
        seed: int = 0,
        purpose: str = SEGMENTING,
    ) -> ModelCard:
        import torch
        from safetensors.torch import save

        from napari_bonescint.networks.zoo import build_network, count_parameters

        torch.manual_seed(seed)
        network = build_network(architecture, outputs=outputs)
        data = save(network.state_dict())
        (tmp_path / f"{name}.safetensors").write_bytes(data)
        card = ModelCard(
            name=name,
            description="Random weights for tests",
            architecture=architecture,
            outputs=outputs,
            parameters=count_parameters(network),
            grid_mm=9.0,
            normalisation=NORMALISATION if purpose == SEGMENTING else HOT_SPOT_NORMALISATION,
            weights_sha256=hashlib.sha256(data).hexdigest(),
            purpose=purpose,
        )
        (tmp_path / f"{name}.json").write_text(card.to_json(), encoding="utf-8")
        return read_card(tmp_path / f"{name}.json")

    return make


@pytest.fixture(scope="session")
def points_file(workers_folder: Path) -> Path:
    """The whole skeleton, more coarsely than for training; it takes a while to make."""
    from napari_bonescint.simulation.geometry import build_points, load_model

    path = workers_folder / "skeleton.npz"
    with FileLock(workers_folder / "skeleton.lock"):
        if not path.exists():
            build_points(load_model(), fine_mm=2.0).save(path)
    return path


@pytest.fixture(scope="session")
def points(points_file: Path) -> BonePoints:
    from napari_bonescint.simulation.geometry import BonePoints

    return BonePoints.load(points_file)


@pytest.fixture
def scan() -> Scan:
    """Two small views with a bright trunk; not square, odd sizes."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(2, (2, 131, 67))
    counts[:, 20:110, 25:40] += rng.poisson(30, (2, 90, 15))
    return Scan(counts.astype(np.uint16), (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (4.5, 4.4))


@pytest.fixture
def write_nm(tmp_path: Path) -> Callable[..., Path]:
    """Write a whole-body scan, changed as wanted, and return its path."""

    def write(name="scan.dcm", counts=None, views=(ANTERIOR, POSTERIOR), windows=(PEAK,), syntax=None, **attributes):
        counts = some_counts(len(views) * len(windows)) if counts is None else counts
        ds = nm_dataset(counts, views, windows)
        for keyword, value in attributes.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return save(ds, path, syntax or ExplicitVRLittleEndian)

    return write


@pytest.fixture
def case() -> Case:
    """Two bars of different bones in soft tissue."""
    regions = np.zeros((2, 256, 128), np.uint8)
    regions[:, 20:120, 55:75] = 3
    regions[:, 150:240, 40:60] = 14
    expected = np.zeros((len(SOURCES), *regions.shape), np.float32)
    expected[SOURCES.index("spine")][regions == 3] = 4
    expected[SOURCES.index("legs")][regions == 14] = 1.5
    expected[SOURCES.index("soft")][:, 10:250, 25:100] = 0.2
    expected[SOURCES.index("excreted")][:, 125:140, 60:70] = 30
    return Case(expected, regions, 2.0)


@pytest.fixture
def cases(tmp_path: Path, case: Case) -> list[Path]:
    paths = [tmp_path / f"case_{seed:06d}.npz" for seed in range(2)]
    for path in paths:
        case.save(path)
    return paths
