"""What a network sees of a scan: a fixed pixel size and a brightness that does not depend on how the scan was made."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage, sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing

NORMALISATION = "sqrt-body/1"
"""Name of what `normalise` does; a model card states it, so that weights never meet another one."""

ASSUMED_SPACING_MM = 2.26
"""Pixel size assumed for the networks when a file gives none: the NEMA NM1 scan's, typical of 1024 x 256 scans."""

_BRIGHTEST = 4.0
_EMPTY = 0.1
_BLUR = 5
_MARGIN = 12
_STEP = 32
_MATRICES = 16
"""How many of those that change pixel sizes are remembered: scans of one camera all need the same four."""


class Grid(NamedTuple):
    """A network's grid over one image.

    Attributes
    ----------
    rows, columns : scipy.sparse.csr_array
        Weights (coarse y, fine y) and (coarse x, fine x) that average the fine pixels below each coarse one.
    """

    rows: sparse.csr_array
    columns: sparse.csr_array

    @classmethod
    def over(cls, shape: tuple[int, int], spacing: Spacing, grid_mm: float) -> Grid:
        """A grid of `grid_mm` over an image of `shape` (y, x) with pixels of `spacing` (y, x) in mm."""
        rows, columns = (_averaging(n, s, grid_mm) for n, s in zip(shape, spacing, strict=True))
        return cls(rows, columns)

    def coarsen(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Mean of (..., fine y, fine x) over each coarse pixel: (..., coarse y, coarse x)."""
        return _weigh(self.rows, self.columns, image)

    def refine(self, image: NDArray[np.floating], spacing: Spacing, grid_mm: float) -> NDArray[np.float32]:
        """Bilinear interpolation of (..., coarse y, coarse x) at the fine pixels' centres: (..., fine y, fine x)."""
        rows, columns = (
            _interpolation(matrix.shape[1], matrix.shape[0], s, grid_mm)
            for matrix, s in zip((self.rows, self.columns), spacing, strict=True)
        )
        return _weigh(rows, columns, image)


def images_on(grid: Grid, scan: Scan) -> NDArray[np.float32]:
    """The views of a scan as a network sees them: (view, coarse y, coarse x), normalised."""
    return np.stack([normalise(grid.coarsen(view)) for view in scan.counts.astype(np.float32)])


def around_body(images: NDArray[np.float32]) -> tuple[slice, slice]:
    """Rows and columns outside of which no view shows anything, so that a network need not look there.

    Parameters
    ----------
    images : ndarray of shape (view, y, x)
        Normalised images.

    Returns
    -------
    rows, columns : slice
        With a margin of a dozen pixels; everything if the images are empty. They have one of few lengths, since
        engines prepare themselves for each shape anew.
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
    """Square root of counts over the brightness of the body.

    The square root makes the Poisson noise of all pixels alike (Anscombe, Biometrika 1948). The body's brightness is
    the 90th percentile of its pixels, found without any threshold in counts: so neither the number of counts matters
    nor a very hot bladder, which covers under two per cent of the body.

    Parameters
    ----------
    counts : ndarray of shape (y, x)
        Counts, averaged to the network's grid; not negative.

    Returns
    -------
    ndarray of float32, shape (y, x)
        0 for no counts, about 1 for bright bone, clipped at 4. All 0 if there are no counts.
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


def _weigh(rows: sparse.csr_array, columns: sparse.csr_array, image: NDArray[np.floating]) -> NDArray[np.float32]:
    """Weights (y', y) and (x', x) applied to images (..., y, x): (..., y', x').

    Sparse: a pixel depends on two or three others along either axis. And no BLAS, whose threads would get in the way of
    those that compute the network.
    """
    planes = image.reshape(-1, *image.shape[-2:]).astype(np.float32, copy=False)
    weighed = np.stack([(columns @ (rows @ plane).T).T for plane in planes])
    return weighed.reshape(*image.shape[:-2], *weighed.shape[1:])


@lru_cache(_MATRICES)
def _averaging(fine: int, spacing: float, grid_mm: float) -> sparse.csr_array:
    """Share of each fine pixel in each coarse one, in weights that sum to 1 over a coarse pixel inside the image."""
    ratio = grid_mm / spacing
    coarse = max(1, round(fine / ratio))
    # Both grids have one centre, so that a flip of the image is a flip of the coarse image.
    edges = (np.arange(coarse + 1) - coarse / 2) * ratio + fine / 2
    pixels = np.arange(fine)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0, 1)
    return sparse.csr_array((weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32))


@lru_cache(_MATRICES)
def _interpolation(fine: int, coarse: int, spacing: float, grid_mm: float) -> sparse.csr_array:
    """Weights (fine, coarse) of linear interpolation between coarse centres, constant beyond the outermost."""
    ratio = grid_mm / spacing
    position = np.clip((np.arange(fine) + 0.5 - fine / 2) / ratio + coarse / 2 - 0.5, 0, coarse - 1)
    distance = np.abs(position[:, None] - np.arange(coarse))
    return sparse.csr_array(np.clip(1 - distance, 0, 1).astype(np.float32))
