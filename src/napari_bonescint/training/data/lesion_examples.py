"""Training examples for finding hot spots: the lesions of simulated cases with random strengths and counts.

Each lesion's strength is drawn anew, and some lesions are left out, so a case with many lesions makes cases with few.
The regions of the input are deformed at random, because in use they are a model's. Metastases that could not be seen
are left open, neither right nor wrong, as when hot spots are scored: healthy bone has as much uptake in places.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.inference.preprocessing import Grid
from napari_bonescint.measurement.detection.channels import sample_codes, stack_channels, without_opposite
from napari_bonescint.measurement.detection.region_normal import region_normals
from napari_bonescint.measurement.scoring import LEAST_RATIO, visible_pieces
from napari_bonescint.scan import ViewName
from napari_bonescint.simulation.case import SOURCES
from napari_bonescint.simulation.pathology import LesionKind
from napari_bonescint.training.data.augmentation import as_picture, bend, glow
from napari_bonescint.training.data.simulated_examples import (
    UNKNOWN,
    Example,
    draw_strengths,
    place_example,
    samples_per_pixel,
)
from napari_bonescint.training.data.usual_uptake import vary_usual

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.simulation.case import Case

NEITHER, LESION, BENIGN = range(3)
"""Classes of the truth, and the network's outputs."""

_FAINT = 3

_VIEWS = (ViewName.ANTERIOR, ViewName.POSTERIOR)
_FEWEST, _MOST = 1.5e5, 3e6
_SHARE_BENT, _SHARE_GLOWING, _SHARE_PICTURES, _SHARE_SINGLE = 0.7, 0.4, 0.25, 0.25
_SHARE_VARIED, _SHARE_USUAL = 0.8, 0.8
_SHIFT, _SMOOTHNESS = 1.0, 5.0
_VARIATIONS = (3, 9)
_VARIATION_SIGMA = (3.0, 15.0)
_VARIATION_MEAN, _VARIATION_SPREAD = 0.15, 0.35
_SHARE_UNEVEN, _UNEVEN_SIGMA, _MOST_UNEVEN = 0.75, (2.0, 10.0), 0.25
_STRONGEST_UNEVEN = 0.35
_SHARE_CONTRASTED = 0.6
_CONTRAST_MEAN, _CONTRAST_SPREAD, _MOST_CONTRAST, _CONTRAST_SIGMA = 0.1, 0.4, 0.8, 1.0
_SHARE_BLURRED, _MOST_BLUR = 0.3, 1.3


class Uptake(NamedTuple):
    """Expected counts and truth of a case, all of shape (view, y, x).

    `classes` is the class of each pixel, `NEITHER`, `LESION` or `BENIGN`; `ratio` the counts that metastases add,
    relative to the others.
    """

    mean: NDArray[np.float32]
    classes: NDArray[np.uint8]
    ratio: NDArray[np.float32]


def true_classes(case: Case) -> NDArray[np.uint8]:
    """Class (view, y, x) of each pixel of a case as it was simulated."""
    ones = np.ones(len(case.lesions), np.float32)
    return _classes(*_raise(case, ones))


def vary_lesions(case: Case, rng: np.random.Generator) -> Uptake:
    """Draw the strengths of all sources and of each lesion, and leave out some lesions."""
    strengths = draw_strengths(rng)
    strengths[SOURCES.index("lesions")] = 1
    before, mean = (np.tensordot(each, case.expected, axes=1) for each in (np.ones_like(strengths), strengths))
    lesions = case.expected[SOURCES.index("lesions")]
    kept = rng.random() if rng.random() < 0.6 else 1.0
    factors = np.empty(len(case.lesions), np.float32)
    for index, lesion in enumerate(case.lesions):
        benign = lesion.kind is not LesionKind.METASTASIS
        gain = np.exp(rng.normal(0.2, 0.5) if benign else rng.normal(0, 0.5))
        factors[index] = gain if benign or rng.random() < kept else 0
    # Joints are part of their bone; all other lesions are part of the source `lesions`.
    added = np.zeros(mean.size, np.float32)
    rest_before, rest = (before - lesions).ravel(), (mean - lesions).ravel()
    for lesion, factor in zip(case.lesions, factors, strict=True):
        ratio = lesion.ratio.astype(np.float32)
        if lesion.kind is LesionKind.JOINT:
            added[lesion.pixels] += (factor - 1) * rest[lesion.pixels] * ratio / (1 + ratio)
        else:
            added[lesion.pixels] += (factor - 1) * rest_before[lesion.pixels] * ratio
    varied = np.maximum(mean + added.reshape(mean.shape), 0)
    change = (rest_before / np.maximum(rest, 1e-9)).reshape(mean.shape)
    lesion_ratio, benign_ratio = _raise(case, factors)
    lesion_ratio *= change
    return Uptake(varied.astype(np.float32), _classes(lesion_ratio, benign_ratio), lesion_ratio)


def vary_normal(mean: NDArray[np.float32], regions: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Vary normal uptake smoothly and alike on both sides, because symmetric uptake is rarely a metastasis.

    Parameters
    ----------
    mean : ndarray of float32, shape (view, y, x)
        Expected counts, anterior then posterior, which is mirrored.
    regions : ndarray of uint8, shape (y, x)
        True region codes of the first view, for the midline.
    rng : Generator
    """
    rows, columns = np.nonzero(regions)
    if len(rows) == 0:
        return mean
    middle, half = float(columns.mean()), 1.5 * float(columns.std())
    y, x = (np.arange(n, dtype=np.float32) for n in regions.shape)
    gain = np.zeros(regions.shape, np.float32)
    for _ in range(rng.integers(*_VARIATIONS)):
        row, aside = rng.uniform(rows.min(), rows.max()), rng.uniform(0, half)
        sigma, strength = rng.uniform(*_VARIATION_SIGMA, 2), rng.normal(_VARIATION_MEAN, _VARIATION_SPREAD)
        down = np.exp(-0.5 * ((y - row) / sigma[0]) ** 2)
        across = sum(np.exp(-0.5 * ((x - middle - side * aside) / sigma[1]) ** 2) for side in (-1, 1))
        gain += np.float32(strength) * np.outer(down, np.minimum(across, 1)).astype(np.float32)
    return _in_both_views(mean, gain)


def vary_unevenly(mean: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Vary uptake mildly and smoothly, not alike on both sides: less than a metastasis that could be seen.

    Parameters
    ----------
    mean : ndarray of float32, shape (view, y, x)
        Expected counts, anterior then posterior, which is mirrored.
    rng : Generator
    """
    sigma, spread = rng.uniform(*_UNEVEN_SIGMA), rng.uniform(0, _MOST_UNEVEN)
    field = ndimage.gaussian_filter(rng.standard_normal(mean.shape[1:], np.float32), sigma)
    gain = spread / max(float(field.std()), 1e-9) * field
    return _in_both_views(mean, np.clip(gain, -2 * _STRONGEST_UNEVEN, _STRONGEST_UNEVEN))


def vary_contrast(
    mean: NDArray[np.float32], healthy: NDArray[np.float32], regions: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Make the pattern of healthy uptake within each bone stronger or weaker: its own hot places are no metastases.

    Parameters
    ----------
    mean : ndarray of float32, shape (view, y, x)
        Expected counts.
    healthy : ndarray of float32, shape (view, y, x)
        Expected counts without lesions, which show the pattern.
    regions : ndarray of uint8, shape (view, y, x)
        True region codes.
    rng : Generator
    """
    power = rng.normal(rng.normal(_CONTRAST_MEAN, _CONTRAST_SPREAD / 2), _CONTRAST_SPREAD, len(REGIONS))
    power[0] = 0
    varied = np.empty_like(mean)
    for view, (counts, codes) in enumerate(zip(healthy, regions, strict=True)):
        usual = region_normals(counts, codes)[codes]
        pattern = np.log(np.maximum(counts, 1e-9) / np.maximum(usual, 1e-9))
        gain = power[codes].astype(np.float32) * np.clip(pattern, -_MOST_CONTRAST, _MOST_CONTRAST)
        varied[view] = mean[view] * np.exp(ndimage.gaussian_filter(gain, _CONTRAST_SIGMA))
    return varied


def _in_both_views(mean: NDArray[np.float32], gain: NDArray[np.float32]) -> NDArray[np.float32]:
    """Expected counts (view, y, x) with the gain, a logarithm (y, x), of the same places in both views."""
    factor = np.exp(gain)
    varied: NDArray[np.float32] = mean * np.stack([factor, factor[:, ::-1]])
    return varied


def vary_healthy(case: Case, rng: np.random.Generator) -> Case:
    """A case whose healthy uptake is varied as in examples; lesions keep their ratio to it."""
    mean = case.expected.sum(axis=0)
    contrasted = vary_contrast(mean, case.without_lesions, case.regions, rng)
    varied = vary_unevenly(vary_usual(vary_normal(contrasted, case.regions[0], rng), case.regions, rng), rng)
    return replace(case, expected=case.expected * (varied / np.maximum(mean, 1e-9)))


def draw_lesion_examples(case: Case, rng: np.random.Generator, grid_mm: float, shape: tuple[int, int]) -> list[Example]:
    """Draw one random example of each view of a case; `codes` of an example are classes, or `UNKNOWN`.

    The views are deformed alike, since both are acquired at once.
    """
    mean, classes, ratio = vary_lesions(case, rng)
    if rng.random() < _SHARE_CONTRASTED:
        mean = vary_contrast(mean, case.without_lesions, case.regions, rng)
    if rng.random() < _SHARE_VARIED:
        mean = vary_normal(mean, case.regions[0], rng)
    if rng.random() < _SHARE_USUAL:
        mean = vary_usual(mean, case.regions, rng)
    if rng.random() < _SHARE_UNEVEN:
        mean = vary_unevenly(mean, rng)
    blur = rng.uniform(0, _MOST_BLUR) if rng.random() < _SHARE_BLURRED else 0.0
    total = np.exp(rng.uniform(np.log(_FEWEST), np.log(_MOST)))
    for view, expected in enumerate(mean):
        pieces = visible_pieces(ratio[view], expected * np.float32(total / max(float(expected.sum()), 1e-9)))
        classes[view][(pieces < 0) & (classes[view] == LESION)] = _FAINT
    packed = case.regions + len(REGIONS) * classes
    seed = int(rng.integers(2**31)) if rng.random() < _SHARE_BENT else None
    is_glowing, is_picture = rng.random() < _SHARE_GLOWING, rng.random() < _SHARE_PICTURES
    mirrored = rng.random() < 0.5
    counted, codes = [], []
    for view in range(len(mean)):
        expected, of_view = mean[view], packed[view]
        if seed is not None:
            turn = slice(None, None, -1 if view else 1)
            expected, of_view = bend(expected[:, turn], of_view[:, turn], np.random.default_rng(seed))
            expected, of_view = expected[:, turn], of_view[:, turn]
        if is_glowing:
            expected = glow(expected, of_view % len(REGIONS), rng)
        if blur:
            expected = ndimage.gaussian_filter(expected, blur)
        within = max(float(expected.sum()), 1e-9)
        image = rng.poisson(expected * np.float32(total / within)).astype(np.float32)
        if is_picture:
            image = as_picture(image, rng)
        counted.append(image[:, ::-1] if mirrored else image)
        codes.append(of_view[:, ::-1] if mirrored else of_view)
    images, packed = np.stack(counted), np.stack(codes)
    scale = case.pixel_mm * rng.uniform(0.85, 1.18)
    grid = Grid((images.shape[1], images.shape[2]), (scale * rng.uniform(0.97, 1.03), scale), grid_mm)
    coarse = grid.coarsen(images)
    size = (coarse.shape[1], coarse.shape[2])
    regions = np.stack([_deform(view, rng) for view in sample_codes(grid, packed % len(REGIONS), size)])
    channels = stack_channels(coarse, regions, _VIEWS, grid_mm)
    if rng.random() < _SHARE_SINGLE:
        channels = without_opposite(channels)
    fine = sample_codes(grid, packed // len(REGIONS), size, samples_per_pixel(grid_mm))
    fine[fine == _FAINT] = UNKNOWN
    bone = sample_codes(grid, packed % len(REGIONS), size) > 0
    return [place_example(*view, shape, rng) for view in zip(channels, fine, bone, strict=True)]


def _raise(case: Case, factors: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Counts that metastases, and benign lesions, add to each pixel (view, y, x), relative to its other counts."""
    ratios = np.zeros((2, case.regions.size), np.float32)
    for lesion, factor in zip(case.lesions, factors, strict=True):
        ratios[int(lesion.kind is not LesionKind.METASTASIS), lesion.pixels] += factor * lesion.ratio.astype(np.float32)
    lesion, benign = ratios.reshape(2, *case.regions.shape)
    return lesion, benign


def _classes(lesion: NDArray[np.float32], benign: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The class of each pixel, from both ratios; the larger one decides."""
    return np.select(
        [(lesion >= LEAST_RATIO) & (lesion >= benign), benign >= LEAST_RATIO], [LESION, BENIGN], NEITHER
    ).astype(np.uint8)


def _deform(codes: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Shift the borders of regions (y, x) by about a pixel, smoothly."""
    shift = np.stack([ndimage.gaussian_filter(rng.normal(size=codes.shape), _SMOOTHNESS) for _ in range(2)])
    shift *= abs(rng.normal(0, _SHIFT)) / max(float(shift.std()), 1e-9)
    deformed: NDArray[np.uint8] = ndimage.map_coordinates(
        codes, np.indices(codes.shape) + shift, order=0, mode="nearest"
    )
    return deformed
