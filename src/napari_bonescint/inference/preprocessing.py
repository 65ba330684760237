"""What a network sees of a scan: a fixed pixel size and a brightness that does not depend on how the scan was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Spacing

NORMALISATION = "sqrt-body/1"
"""Name of what `normalise` does; a model card states it, so that weights never meet another one."""

ASSUMED_SPACING_MM = 2.26
"""Pixel size assumed for the networks when a file gives none: the NEMA NM1 scan's, typical of 1024 x 256 scans."""

_BRIGHTEST = 4.0


class Grid(NamedTuple):
    """A network's grid over one image.

    Attributes
    ----------
    rows, columns : ndarray
        Weights (coarse y, fine y) and (coarse x, fine x) that average the fine pixels below each coarse one.
    """

    rows: NDArray[np.float32]
    columns: NDArray[np.float32]

    @classmethod
    def over(cls, shape: tuple[int, int], spacing: Spacing, grid_mm: float) -> Grid:
        """A grid of `grid_mm` over an image of `shape` (y, x) with pixels of `spacing` (y, x) in mm."""
        rows, columns = (_averaging(n, s, grid_mm) for n, s in zip(shape, spacing, strict=True))
        return cls(rows, columns)

    def coarsen(self, image: NDArray[np.floating]) -> NDArray[np.float32]:
        """Mean of (..., fine y, fine x) over each coarse pixel: (..., coarse y, coarse x)."""
        coarse: NDArray[np.float32] = self.rows @ image.astype(np.float32, copy=False) @ self.columns.T
        return coarse

    def refine(self, image: NDArray[np.floating], spacing: Spacing, grid_mm: float) -> NDArray[np.float32]:
        """Bilinear interpolation of (..., coarse y, coarse x) at the fine pixels' centres: (..., fine y, fine x)."""
        rows, columns = (
            _interpolation(matrix.shape[1], matrix.shape[0], s, grid_mm)
            for matrix, s in zip((self.rows, self.columns), spacing, strict=True)
        )
        fine: NDArray[np.float32] = rows @ image.astype(np.float32, copy=False) @ columns.T
        return fine


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


def _averaging(fine: int, spacing: float, grid_mm: float) -> NDArray[np.float32]:
    """Share of each fine pixel in each coarse one, in weights that sum to 1 over a coarse pixel inside the image."""
    ratio = grid_mm / spacing
    coarse = max(1, round(fine / ratio))
    # Both grids have one centre, so that a flip of the image is a flip of the coarse image.
    edges = (np.arange(coarse + 1) - coarse / 2) * ratio + fine / 2
    pixels = np.arange(fine)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights = np.clip(overlap, 0, 1)
    shares: NDArray[np.float32] = (weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)
    return shares


def _interpolation(fine: int, coarse: int, spacing: float, grid_mm: float) -> NDArray[np.float32]:
    """Weights (fine, coarse) of linear interpolation between coarse centres, constant beyond the outermost."""
    ratio = grid_mm / spacing
    position = np.clip((np.arange(fine) + 0.5 - fine / 2) / ratio + coarse / 2 - 0.5, 0, coarse - 1)
    distance = np.abs(position[:, None] - np.arange(coarse))
    weights: NDArray[np.float32] = np.clip(1 - distance, 0, 1).astype(np.float32)
    return weights
