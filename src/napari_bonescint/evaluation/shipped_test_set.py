"""The simulated test set that comes with this installation.

For some bodies of the test split ``train/simulated-test/SEED.webp``, without loss: anterior and posterior view side by
side on pixels of 3 mm; red is the fourth root of the expected counts in steps of a twelfth, green the true region code.
Expected counts are smooth, so they take a fifth of the room that counted photons do; the photons are counted from the
seed whenever the set is read. ``scripts/pack_simulated_test.py`` makes the files.
"""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.evaluation.reference_sets import Reference
from napari_bonescint.inference.preprocessing import Grid
from napari_bonescint.resources import shipped_folder
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from napari_bonescint.simulation.case import Case

PIXEL_MM = 3.0

# Steps are finer than the noise of counting, also where hardly anything is counted; the square root in steps of one
# half is not, and costs weak scans 0.05 of Dice.
_LEVELS = 12
# Keeps this draw of counts apart from that of the split itself.
_COUNTING_STREAM = 2


def shipped_test_folder() -> Path:
    """Where the set lies."""
    return shipped_folder("train") / "simulated-test"


class ShippedTest:
    """The bodies of the test split, counted as the split says."""

    name = "shipped test"
    is_simulated = True

    def __init__(self) -> None:
        self._paths = sorted(shipped_test_folder().glob("*.webp"))

    @property
    def origin(self) -> str:
        """Seeds and pixels."""
        return f"simulated, seeds {self._paths[0].stem} to {self._paths[-1].stem}, on pixels of {PIXEL_MM:g} mm"

    def sha256(self) -> str:
        """Hash of the files' contents."""
        total = hashlib.sha256()
        for path in self._paths:
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[Reference]:
        for path in self._paths:
            yield unpack(path.read_bytes(), int(path.stem))


def pack(case: Case, total: float) -> bytes:
    """A case as the set keeps it.

    Parameters
    ----------
    case : Case
    total : float
        Expected counts of both views together, without what is excreted.
    """
    grid = Grid((case.regions.shape[1], case.regions.shape[2]), (case.pixel_mm, case.pixel_mm), PIXEL_MM)
    mean = case.expected.sum(axis=0) * (total / float(case.expected[:-1].sum()))
    expected = grid.coarsen(mean) * (PIXEL_MM / case.pixel_mm) ** 2
    levels = np.minimum(np.rint(_LEVELS * expected**0.25), 255).astype(np.uint8)
    shares = np.stack([grid.coarsen((case.regions == region.code).astype(np.float32)) for region in REGIONS])
    # As a network's result is decided: first whether a pixel is bone, then of which region.
    regions = np.where(shares[0] <= 0.5, 1 + shares[1:].argmax(axis=0), 0).astype(np.uint8)
    channels = [np.concatenate(planes, axis=1) for planes in (levels, regions, np.zeros_like(levels))]
    buffer = io.BytesIO()
    Image.fromarray(np.stack(channels, axis=-1)).save(buffer, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return buffer.getvalue()


def unpack(content: bytes, seed: int) -> Reference:
    """A scan of the set and its truth: what `pack` gave, with photons counted.

    Parameters
    ----------
    content : bytes
    seed : int
        Decides where each photon goes.
    """
    levels, regions = (_views(channel) for channel in Image.open(io.BytesIO(content)).convert("RGB").split()[:2])
    expected = (levels / _LEVELS) ** 4
    counts = np.random.default_rng((seed, _COUNTING_STREAM)).poisson(expected).astype(np.uint16)
    scan = Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (PIXEL_MM, PIXEL_MM))
    name = f"case_{seed:06d}"
    return Reference(scan, regions, name, name)


def _views(channel: Image.Image) -> NDArray[np.uint8]:
    return np.stack(np.split(np.asarray(channel), 2, axis=1))
