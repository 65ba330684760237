"""The simulated test set that is part of the package.

Each file ``train/simulated-test/SEED.webp`` (lossless) holds one body of the test split, anterior and posterior view
side by side on pixels of 3 mm: red is the fourth root of the expected counts in steps of 1/12, green the true region
code. Expected counts are smooth and take a fifth of the space of counts with noise; the noise is drawn from the seed
when the set is read. ``scripts/pack_simulated_test.py`` makes the files.
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

# The steps are finer than Poisson noise, even for low counts. The square root in steps of 1/2 is not: weak scans lose
# 0.05 of Dice with it.
_LEVELS = 12
# Makes these random counts independent of those of the split itself.
_COUNTING_STREAM = 2


def shipped_test_folder() -> Path:
    """The folder of the set."""
    return shipped_folder("train") / "simulated-test"


class ShippedTest:
    """The simulated test set of the package, as a `ReferenceSet`."""

    name = "shipped test"
    is_simulated = True

    def __init__(self) -> None:
        self._paths = sorted(shipped_test_folder().glob("*.webp"))

    @property
    def origin(self) -> str:
        """Description with seeds and pixel size."""
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
    """Encode a case as a file of the set.

    Parameters
    ----------
    case : Case
    total : float
        Expected counts of both views together, without excreted activity.
    """
    grid = Grid((case.regions.shape[1], case.regions.shape[2]), (case.pixel_mm, case.pixel_mm), PIXEL_MM)
    mean = case.expected.sum(axis=0) * (total / float(case.expected[:-1].sum()))
    expected = grid.coarsen(mean) * (PIXEL_MM / case.pixel_mm) ** 2
    levels = np.minimum(np.rint(_LEVELS * expected**0.25), 255).astype(np.uint8)
    shares = np.stack([grid.coarsen((case.regions == region.code).astype(np.float32)) for region in REGIONS])
    # As in `Segmenter`: bone or background is decided first, the region second.
    regions = np.where(shares[0] <= 0.5, 1 + shares[1:].argmax(axis=0), 0).astype(np.uint8)
    channels = [np.concatenate(planes, axis=1) for planes in (levels, regions, np.zeros_like(levels))]
    buffer = io.BytesIO()
    Image.fromarray(np.stack(channels, axis=-1)).save(buffer, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return buffer.getvalue()


def unpack(content: bytes, seed: int) -> Reference:
    """Decode a file of `pack`, and draw Poisson counts from the seed."""
    levels, regions = (_views(channel) for channel in Image.open(io.BytesIO(content)).convert("RGB").split()[:2])
    expected = (levels / _LEVELS) ** 4
    counts = np.random.default_rng((seed, _COUNTING_STREAM)).poisson(expected).astype(np.uint16)
    scan = Scan(counts, (View(ViewName.ANTERIOR), View(ViewName.POSTERIOR)), (PIXEL_MM, PIXEL_MM))
    name = f"case_{seed:06d}"
    return Reference(scan, regions, name, name)


def _views(channel: Image.Image) -> NDArray[np.uint8]:
    return np.stack(np.split(np.asarray(channel), 2, axis=1))
