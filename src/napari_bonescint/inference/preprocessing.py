"""Resample scans to a network's pixel size and normalise their brightness."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage, sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing

NORMALISATION = "sqrt-body/1"
"""Name of the method of `normalise`. Each model card names the method that its weights were trained with."""

HOT_SPOT_NORMALISATION = "sqrt-body+region-ratio/2"
"""Name of the method of `measurement.detection.channels`, for models that find hot spots."""

ASSUMED_SPACING_MM = 2.26
"""Pixel size assumed when a file gives none: that of the NEMA NM1 scan, typical of 1024 x 256 scans."""

_BRIGHTEST = 4.0
_EMPTY = 0.1
_BLUR = 5
_MARGIN = 12
_STEP = 32
_MATRICES = 16
"""Number of cached resampling matrices. All scans of one camera need the same four."""


class Grid(NamedTuple):
    """A network's coarse grid over the fine pixels of one image.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns of the fine image.
    spacing : (float, float)
        Fine pixel size (y, x) in mm.
    mm : float
        Coarse pixel size in mm.
    """

    shape: tuple[int, int]
    spacing: Spacing
    mm: float

    @classmethod
    def of(cls, scan: Scan, mm: float) -> Grid:
        """The grid of `mm` over the views of a scan, with the assumed spacing if the scan has none."""
        _, rows, columns = scan.counts.shape
        return cls((rows, columns), scan.spacing or (ASSUMED_SPACING_MM, ASSUMED_SPACING_MM), mm)

    def coarsen(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Mean of (..., fine y, fine x) over each coarse pixel: (..., coarse y, coarse x)."""
        return _weigh(image, *(_averaging(n, s, self.mm) for n, s in zip(self.shape, self.spacing, strict=True)))

    def refine(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Bilinear interpolation of (..., coarse y, coarse x) at the fine pixels' centres: (..., fine y, fine x)."""
        return _weigh(image, *(_interpolation(n, s, self.mm) for n, s in zip(self.shape, self.spacing, strict=True)))


def images_on(grid: Grid, scan: Scan) -> NDArray[np.float32]:
    """A network's input for the views of a scan: (view, coarse y, coarse x), normalised."""
    return np.stack([normalise(grid.coarsen(view)) for view in scan.counts.astype(np.float32)])


def around_body(images: NDArray[np.float32]) -> tuple[slice, slice]:
    """Rows and columns that hold the body in any view, with a margin of 12 pixels.

    Parameters
    ----------
    images : ndarray of shape (view, y, x)
        Normalised images.

    Returns
    -------
    rows, columns : slice
        The whole image if the images are empty. Lengths are multiples of 32, because engines prepare for each shape.
    """
    blurred = ndimage.uniform_filter(images, (0, _BLUR, _BLUR), mode="constant").max(axis=0)
    return _with_margin(blurred.max(axis=1) > _EMPTY), _with_margin(blurred.max(axis=0) > _EMPTY)


def _with_margin(occupied: NDArray[np.bool_]) -> slice:
    where = np.flatnonzero(occupied)
    size = len(occupied)
    if not len(where):
        return slice(0, size)
    start, stop = int(where[0]) - _MARGIN, int(where[-1]) + 1 + _MARGIN
    length = min(size, -(-(stop - start) // _STEP) * _STEP)
    start = min(max(0, start), size - length)
    return slice(start, start + length)


def normalise(counts: NDArray[np.floating]) -> NDArray[np.float32]:
    """Square root of counts divided by the brightness of the body.

    The square root makes the Poisson noise equal in all pixels (Anscombe, Biometrika 1948). The brightness of the body
    is the 90th percentile of its pixels. No threshold is in counts, so the total number of counts has no effect. A very
    hot bladder has none either: it covers less than two per cent of the body.

    Parameters
    ----------
    counts : ndarray of shape (y, x)
        Counts averaged to the network's grid. Negative ones are taken as 0.

    Returns
    -------
    ndarray of float32, shape (y, x)
        0 for no counts, about 1 for bright bone, at most 4.
    """
    root = np.sqrt(np.maximum(counts, 0, dtype=np.float32))
    reference = float(np.quantile(root, 0.95))
    for _ in range(6):
        body = root[root > 0.2 * reference]
        if body.size == 0:
            break
        reference = float(np.quantile(body, 0.9))
    if reference <= 0:
        reference = float(root.max()) or 1.0
    brightness: NDArray[np.float32] = np.minimum(root / np.float32(reference), np.float32(_BRIGHTEST))
    return brightness


def _weigh(image: NDArray[np.floating], rows: sparse.csr_array, columns: sparse.csr_array) -> NDArray[np.float32]:
    """Apply weights (y', y) and (x', x) to images (..., y, x): (..., y', x').

    The weights are sparse, since each pixel depends on two or three others along each axis. BLAS is avoided: its
    threads would slow those of the network.
    """
    planes = image.reshape(-1, *image.shape[-2:]).astype(np.float32, copy=False)
    weighed = np.stack([(columns @ (rows @ plane).T).T for plane in planes])
    return weighed.reshape(*image.shape[:-2], *weighed.shape[1:])


@lru_cache(_MATRICES)
def _averaging(fine: int, spacing: float, grid_mm: float) -> sparse.csr_array:
    """Weights (coarse, fine) that average the fine pixels below each coarse one; each row sums to 1."""
    ratio = grid_mm / spacing
    coarse = max(1, round(fine / ratio))
    # Both grids have the same centre, so flipping the image flips the coarse image.
    edges = (np.arange(coarse + 1) - coarse / 2) * ratio + fine / 2
    pixels = np.arange(fine)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0, 1)
    return sparse.csr_array((weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32))


@lru_cache(_MATRICES)
def _interpolation(fine: int, spacing: float, grid_mm: float) -> sparse.csr_array:
    """Weights (fine, coarse) of linear interpolation between coarse centres, constant beyond the outermost."""
    ratio = grid_mm / spacing
    coarse = max(1, round(fine / ratio))
    position = np.clip((np.arange(fine) + 0.5 - fine / 2) / ratio + coarse / 2 - 0.5, 0, coarse - 1)
    distance = np.abs(position[:, None] - np.arange(coarse))
    return sparse.csr_array(np.clip(1 - distance, 0, 1).astype(np.float32))
