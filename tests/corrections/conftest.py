from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.scan import Scan


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    return LabelStore.create(tmp_path / "store")


@pytest.fixture
def case(store: LabelStore, scan: Scan) -> str:
    """A case of `store` without revisions."""
    return store.add(scan)


@pytest.fixture
def some_regions(scan: Scan) -> Callable[[int], np.ndarray]:
    """Masks for `scan`, another for each seed."""

    def make(seed: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 17, scan.counts.shape, dtype=np.uint8)

    return make


@pytest.fixture
def segmentation(scan: Scan) -> Segmentation:
    """A model's result for `scan`: sure of bone in the middle, in doubt beside it."""
    probability = np.zeros(scan.counts.shape, np.float32)
    probability[:, 20:110, 25:40] = 0.9
    probability[:, 20:110, 40:45] = 0.25
    skeleton = (probability >= 0.5).astype(np.uint8)
    return Segmentation(skeleton, skeleton * 6, probability, "tiny", "ab" * 32, "cpu", "CPU: test", "torch", 0.1)
