"""Hot spots from probabilities of pixels, and probabilities from thresholds, which need no network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage
from scipy.special import expit, logit
from skimage.morphology import reconstruction
from skimage.segmentation import watershed

from napari_bonescint.measurement.body import spacing_of
from napari_bonescint.measurement.detection.region_normal import region_normals
from napari_bonescint.measurement.examination import examine
from napari_bonescint.measurement.hot_spots.likelihood import spot_features, spot_probabilities
from napari_bonescint.measurement.hot_spots.marked import MarkedPixels
from napari_bonescint.measurement.measures import UptakeClasses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.scan import Scan, Spacing

HOT = 0.2
"""Without a model, a pixel of bone is hot from this probability."""

_FAINTEST = 0.02
"""With a model, a pixel of bone may be hot if its probabilities of a lesion and of benign uptake sum to this number."""

_SADDLE = 0.6
"""Two maxima are two spots if the probability between them falls below this share of the lower one."""

_OUTLINE = 0.55
"""A spot ends where the probability falls below this share of its highest."""

_LIKELY, _LIKELY_BENIGN = 0.05, 0.25
"""Lowest probabilities of a metastasis, or of benign uptake, with which a spot is kept."""

_LEAST_MM2 = 40.0
_NEIGHBOURS = np.ones((3, 3), bool)
_BLUR_MM = 4.0
_RING_MM = 60.0
_RATIO, _STEEPNESS = 1.6, 4.0
_DEVIATIONS = 4.0


def find_hot_spots(
    scan: Scan, regions: NDArray[np.uint8], classes: UptakeClasses
) -> tuple[NDArray[np.uint16], UptakeClasses]:
    """Number hot spots, view by view, and weigh each as a whole.

    With a model, each maximum of the probability that stands out is one spot, with its surroundings down to a share of
    the maximum. Spots that are likely neither a metastasis nor benign uptake are left out. Without a model, a spot is
    connected hot pixels.

    Parameters
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    classes : UptakeClasses
        Probabilities of each pixel.

    Returns
    -------
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1, from top to bottom; pieces under 40 mm2 are left out.
    classes : UptakeClasses
        The classes. With a model, each spot's pixels have the probability that the spot is a metastasis; see
        `measurement.hot_spots.likelihood`.
    """
    spacing = spacing_of(scan)
    if classes.spot_weights is None:
        pieces = [ndimage.label(view, _NEIGHBOURS)[0] for view in (classes.lesion >= HOT) & (regions > 0)]
        return _number(np.stack(pieces), spacing), classes
    labels = separate_spots(scan, regions, classes)
    marked = MarkedPixels.of(labels, examine(scan, regions).bones)
    if not len(marked):
        return labels, classes
    features = spot_features(marked, labels, regions, scan.counts, classes.lesion, spacing)
    probability = spot_probabilities(features, classes.spot_weights)
    benign = marked.mean(classes.benign.reshape(-1)[marked.at].astype(np.float64))
    lesion = classes.lesion.copy()
    lesion.reshape(-1)[marked.at] = probability[marked.spot]
    is_kept = (probability >= _LIKELY) | (benign >= _LIKELY_BENIGN)
    labels.reshape(-1)[marked.at[~is_kept[marked.spot]]] = 0
    return _number(labels, spacing), replace(classes, lesion=lesion)


def separate_spots(scan: Scan, regions: NDArray[np.uint8], classes: UptakeClasses) -> NDArray[np.uint16]:
    """All spots (view, y, x) that stand out in the classes of a model, likely or not; see `find_hot_spots`."""
    uptake = np.where(regions > 0, classes.lesion + classes.benign, 0)
    return _number(np.stack([_separate(view) for view in uptake]), spacing_of(scan))


def threshold_classes(scan: Scan, regions: NDArray[np.uint8]) -> UptakeClasses:
    """Probabilities without a network: counts above the normal of their region and above the bone around them.

    Parameters
    ----------
    scan : Scan
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.

    Returns
    -------
    UptakeClasses
        `lesion` is `HOT` where smoothed counts are 1.6 times the larger of the region's normal and the mean of bone
        within 60 mm, if that is more than noise; `benign` is 0.
    """
    spacing = spacing_of(scan)
    lesion = np.stack(
        [_exceed(counts, codes, spacing) for counts, codes in zip(scan.counts.astype(np.float32), regions, strict=True)]
    )
    return UptakeClasses(lesion, np.zeros_like(lesion), "thresholds")


def _separate(uptake: NDArray[np.float32]) -> NDArray[np.int32]:
    """Label the spots around the maxima of a probability (y, x)."""
    spots = np.zeros(uptake.shape, np.int32)
    hot = uptake >= _FAINTEST
    found = ndimage.find_objects(hot.astype(np.uint8))
    if not found:
        return spots
    window = found[0]
    hot, height = hot[window], np.log(np.maximum(uptake[window], _FAINTEST / 2)).astype(np.float64)
    # Maxima that rise by the same factor over the saddle to a higher one keep that rise when lower ones are filled.
    rise = height - reconstruction(height + np.log(_SADDLE), height)
    tops, number = ndimage.label(hot & (rise >= -np.log(_SADDLE) - 1e-6), _NEIGHBOURS)
    pieces = watershed(-height, tops, mask=hot)
    highest = np.concatenate([[0], ndimage.maximum(height, pieces, np.arange(1, number + 1))])
    spots[window] = np.where(height >= highest[pieces] + np.log(_OUTLINE), pieces, 0)
    return spots


def _number(pieces: NDArray[np.integer], spacing: Spacing) -> NDArray[np.uint16]:
    """Number the pieces (view, y, x) of each view that are large enough, from top to bottom."""
    numbered = np.zeros(pieces.shape, np.uint16)
    for view, labels in zip(numbered, pieces, strict=True):
        number, first, sizes = np.unique(labels, return_index=True, return_counts=True)
        large = (number > 0) & (sizes * (spacing[0] * spacing[1]) >= _LEAST_MM2)
        new = np.zeros(int(number.max()) + 1, np.uint16)
        new[number[large][np.argsort(first[large])]] = np.arange(1, large.sum() + 1)
        view[:] = new[labels]
    return numbered


def _exceed(counts: NDArray[np.float32], regions: NDArray[np.uint8], spacing: Spacing) -> NDArray[np.float32]:
    """Probability (y, x) that counts exceed those of their region and of the bone around them."""
    bone = regions > 0
    blur = [_BLUR_MM / mm for mm in spacing]
    smooth = ndimage.gaussian_filter(counts, blur)
    normal = region_normals(smooth, regions)[regions]
    ring = [round(_RING_MM / mm) for mm in spacing]
    weight = ndimage.uniform_filter(bone.astype(np.float32), ring)
    around = ndimage.uniform_filter(np.where(bone, smooth, 0), ring) / np.maximum(weight, 1e-6)
    usual = np.maximum(np.maximum(normal, around), 1e-6)
    # A Gaussian filter averages the noise of 4 pi sigma^2 pixels.
    noise = np.sqrt(usual / (4 * np.pi * blur[0] * blur[1]))
    probability = expit(logit(HOT) + _STEEPNESS * np.log2(np.maximum(smooth / usual, 1e-6) / _RATIO))
    lesion: NDArray[np.float32] = np.where(bone & (smooth - usual > _DEVIATIONS * noise), probability, 0)
    return lesion.astype(np.float32)
