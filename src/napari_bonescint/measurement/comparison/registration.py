"""Registration of two scans of one patient: an affine map for each region of each side, from the masks alone.

A map leads from a place in the new scan to the same place of the same bone in the prior scan. It begins with the affine
map that turns the mean and the covariance of one mask into those of the other with the least displacement (the optimal
transport between two normal distributions: Olkin and Pukelsheim, Linear Algebra and its Applications 1982; 48:
257-263). It is then refined until the smoothed masks agree (Lucas and Kanade 1981), with a penalty on shear and scale.
Uptake is not used, so a lesion cannot pull bone to itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import ndimage

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.inference.preprocessing import ASSUMED_SPACING_MM
from napari_bonescint.measurement.bones import SIDES, find_bones

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_bonescint.measurement.measures import Side
    from napari_bonescint.scan import Spacing, View, ViewName

    _Affine = tuple[NDArray[np.float64], NDArray[np.float64]]
    """Matrix (2, 2) and offset (2,) of a map, in mm."""

_GRID_MM = 4.0
_SMOOTHINGS_MM = (12.0, 6.0)
_STEPS = 10
_MOST_POINTS = 400
_NEGLIGIBLE = 0.02
_STIFFNESS = 0.02
_LEAST = 1e-9
# The six numbers of an affine map, of which only those of its matrix bend it.
_BENDING = np.array([1.0, 1, 0, 1, 1, 0])
_SMALLEST_MOVE_MM = 0.2
_FEWEST_PIXELS = 6
_FEWEST_PARTS = 3
_APART_MM = 25.0
# Scales of one bone in two scans differ by its turning in space, hardly by more.
_USUAL_STRETCH = 1.25
# Ends of a part along y and x that are laid on each other: 0 first, 1 middle, 2 last.
_ENDS = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))

LEAST_OVERLAP = 0.5
"""Of a part whose masks overlap less than this, the two scans show other sides, or other ends."""


class Part(NamedTuple):
    """A region of one side in one view."""

    view: ViewName
    code: int
    side: Side


@dataclass(frozen=True)
class PartMap:
    """An affine map from places (row, column) in the new scan to places in the prior one, in pixels.

    Attributes
    ----------
    matrix : ndarray of float64, shape (2, 2)
    offset : ndarray of float64, shape (2,)
    overlap : float
        The share of the smaller mask that lies within the other one; 0 if it is unknown.
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]
    overlap: float = 0.0

    def to_prior(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Places (n, 2) in the prior scan of places (n, 2) in the new one."""
        return np.asarray(points @ self.matrix.T + self.offset)

    def to_new(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Places (n, 2) in the new scan of places (n, 2) in the prior one."""
        return np.asarray((points - self.offset) @ np.linalg.inv(self.matrix).T)


@dataclass(frozen=True)
class Registration:
    """The maps of all parts that both scans show.

    Attributes
    ----------
    parts : mapping of Part to PartMap
        Maps of the parts that both scans show.
    bodies : mapping of ViewName to PartMap
        One map for the whole body in each view that both scans have: an approximation for places outside bone.
    """

    parts: Mapping[Part, PartMap]
    bodies: Mapping[ViewName, PartMap]

    def of(self, part: Part) -> PartMap | None:
        """The map of a part; None if it is not seen in both scans, or too differently."""
        found = self.parts.get(part)
        return found if found is not None and found.overlap >= LEAST_OVERLAP else None


class _Mask(NamedTuple):
    """One part on a coarse grid: the covered share of each pixel in a window, and the window's place in the image."""

    share: NDArray[np.float32]
    first: NDArray[np.intp]
    image: tuple[int, int]
    grid: NDArray[np.float64]

    @property
    def places(self) -> NDArray[np.float64]:
        """Centres (n, 2) of the covered pixels in mm."""
        return (np.argwhere(self.share > 0) + self.first + 0.5) * self.grid

    @property
    def weights(self) -> NDArray[np.float32]:
        """Covered shares (n,) at `places`."""
        return self.share[self.share > 0]

    @property
    def is_cut(self) -> bool:
        """True if the part reaches the edge of the image."""
        return bool((self.first == 0).any() or (self.first + self.share.shape == self.image).any())

    def moments(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (2,) and covariance (2, 2) of its places in mm."""
        places, weights = self.places, self.weights
        mean = np.average(places, axis=0, weights=weights)
        return mean, np.cov(places.T, aweights=weights, ddof=0) + np.diag(self.grid**2 / 12)

    def ends(self) -> NDArray[np.float64]:
        """First, middle and last place in mm, along y and x: (3, 2)."""
        first, last = (self.first + 0.5) * self.grid, (self.first + self.share.shape - 0.5) * self.grid
        return np.stack([first, (first + last) / 2, last])

    def smoothed(self, smoothing: float) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The mask in a larger window, smoothed, and the window's first row and column.

        Values beyond the image are those at its edge.
        """
        margin = np.ceil(2 * smoothing / self.grid).astype(int)
        low, high = self.first - margin, self.first + self.share.shape + margin
        beyond = [(max(0, -int(a)), max(0, int(b) - n)) for a, b, n in zip(low, high, self.image, strict=True)]
        inside = [(m - a, m - b) for m, (a, b) in zip(margin, beyond, strict=True)]
        wide = np.pad(np.pad(self.share, inside), beyond, mode="edge")
        return ndimage.gaussian_filter(wide, smoothing / self.grid, mode="nearest"), low


def register(
    new: NDArray[np.uint8],
    new_views: Sequence[View],
    new_spacing: Spacing | None,
    old: NDArray[np.uint8],
    old_views: Sequence[View],
    old_spacing: Spacing | None,
) -> Registration:
    """Register the regions (view, y, x) of a new scan with those of a prior one.

    A scan without spacing is taken to have a usual one; the maps then scale with the body.
    """
    new_mm, old_mm = (np.array(spacing or (ASSUMED_SPACING_MM,) * 2) for spacing in (new_spacing, old_spacing))
    images = part_images(new, new_views), part_images(old, old_views)
    parts: dict[Part, PartMap] = {}
    bodies: dict[ViewName, PartMap] = {}
    for view in (view for view in images[0] if view in images[1]):
        mine, other = _masks(images[0][view], new_mm), _masks(images[1][view], old_mm)
        common = [key for key in mine if key in other]
        if not common:
            continue
        body = _body([mine[key] for key in common], [other[key] for key in common])
        bodies[view] = _in_pixels(body, new_mm, old_mm)
        for key in common:
            fitted, overlap = _register_part(mine[key], other[key], body)
            parts[Part(view, *key)] = _in_pixels(fitted, new_mm, old_mm, overlap)
    return Registration(parts, bodies)


def part_images(regions: NDArray[np.uint8], views: Sequence[View]) -> dict[ViewName, NDArray[np.intp]]:
    """The part of each pixel (y, x) of each view: region code times 3, plus 0 for no side, 1 for left, 2 for right."""
    bones = find_bones(regions, views)
    planes = bones.part.reshape(bones.shape).astype(np.intp) % (len(REGIONS) * len(SIDES))
    return {view.name: plane for view, plane in zip(views, planes, strict=True)}


def _masks(part: NDArray[np.intp], mm: NDArray[np.float64]) -> dict[tuple[int, Side], _Mask]:
    """Average the parts (y, x) of a view to a grid of about 4 mm."""
    factor = np.maximum(1, np.rint(_GRID_MM / mm)).astype(int)
    rows, columns = (-(-n // int(f)) for n, f in zip(part.shape, factor, strict=True))
    y, x = np.nonzero(part >= len(SIDES))
    number = part[y, x]
    order = np.argsort(number, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(order) else []
    masks = {}
    for own in groups:
        row, column = y[own] // factor[0], x[own] // factor[1]
        first = np.array([row.min(), column.min()])
        height, width = (int(each.max() - low) + 1 for each, low in zip((row, column), first, strict=True))
        at = (row - first[0]) * width + column - first[1]
        share = np.bincount(at, minlength=height * width).reshape(height, width) / factor.prod()
        if np.count_nonzero(share) >= _FEWEST_PIXELS:
            code, side = divmod(int(number[own[0]]), len(SIDES))
            masks[code, SIDES[side]] = _Mask(share.astype(np.float32), first, (rows, columns), mm * factor)
    return masks


def _body(new: Sequence[_Mask], old: Sequence[_Mask]) -> _Affine:
    """A rough map of the whole body: through the centres of the parts that neither image cuts off."""
    pairs = list(zip(new, old, strict=True))
    whole = [pair for pair in pairs if not (pair[0].is_cut or pair[1].is_cut)] or pairs
    area = np.sqrt([mine.weights.sum() * mine.grid.prod() for mine, _ in whole])
    x, y = (np.stack([each.moments()[0] for each in side]) for side in zip(*whole, strict=True))
    weight = area
    matrix = np.eye(2)
    for _ in range(_STEPS):
        mean_new, mean_old = (np.average(each, axis=0, weights=weight) for each in (x, y))
        if len(whole) >= _FEWEST_PARTS:
            matrix = _affine(x - mean_new, y - mean_old, weight)
        offset = mean_old - matrix @ mean_new
        # A part that is cut off inside the image, or that was moved by itself, has its centre elsewhere.
        apart = np.linalg.norm(x @ matrix.T + offset - y, axis=1)
        weight = area / (1 + (apart / _APART_MM) ** 2)
    return matrix, offset


def _affine(x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix (2, 2) that turns places x (n, 2) into y, both about their mean; a penalty keeps its scale uniform."""
    weighted = x * weight[:, None]
    spread = float((weighted * x).sum())
    scale = np.sqrt(float((y * y * weight[:, None]).sum()) / spread)
    stiff = _STIFFNESS * spread * np.eye(2)
    return np.linalg.solve(weighted.T @ x + stiff, weighted.T @ y + stiff * scale).T


def _register_part(new: _Mask, old: _Mask, body: _Affine) -> tuple[_Affine, float]:
    """The map of one part, and the overlap that it reaches.

    A part may be cut off in one of the scans, at an edge that nobody knows: the field of the camera ends before the
    image does. Then its ends are laid on each other one by one, at the scale of the body.
    """
    coarse, fine = (_level(new, old, smoothing) for smoothing in _SMOOTHINGS_MM)
    start = _by_moments(new, old)
    if not (new.is_cut or old.is_cut or _stretch(start, body) > _USUAL_STRETCH):
        fit = _refine(fine, _refine(coarse, start))
        return fit, _overlap(new, old, fit).within
    here, there = new.ends(), old.ends()
    laid = [(body[0], np.array([there[i, 0], there[j, 1]]) - body[0] @ (here[i, 0], here[j, 1])) for i, j in _ENDS]

    def merit(fit: _Affine) -> float:
        return _overlap(new, old, fit).dice / _stretch(fit, body)

    fit = max((fit for each in (start, body, *laid) for fit in (_refine(coarse, each), each)), key=merit)
    fit = max(_refine(fine, fit), fit, key=merit)
    return fit, _overlap(new, old, fit).within


def _stretch(fit: _Affine, body: _Affine) -> float:
    """The largest factor by which a map stretches or shrinks more than the map of the body."""
    factors = np.linalg.svd(fit[0] @ np.linalg.inv(body[0]), compute_uv=False)
    return float(np.exp(np.abs(np.log(np.maximum(factors, 1e-3))).max()))


def _by_moments(new: _Mask, old: _Mask) -> _Affine:
    (mean_new, cov_new), (mean_old, cov_old) = new.moments(), old.moments()
    root = _square_root(cov_new)
    inverse = np.linalg.inv(root)
    matrix = inverse @ _square_root(root @ cov_old @ root) @ inverse
    return matrix, mean_old - matrix @ mean_new


def _square_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 1e-9))) @ vectors.T)


class _Level(NamedTuple):
    """Two smoothed masks of a part: places (n, 2) in mm and values (n,) of the new one, and the old one as images.

    `found` is the smoothed old mask, and its slopes along y and x per mm; `origin` and `grid` place it.
    """

    places: NDArray[np.float64]
    wanted: NDArray[np.float32]
    found: tuple[NDArray[np.float32], ...]
    origin: NDArray[np.float64]
    grid: NDArray[np.float64]


def _level(new: _Mask, old: _Mask, smoothing: float) -> _Level:
    wanted, start = new.smoothed(smoothing)
    found, origin = old.smoothed(smoothing)
    at = np.argwhere(wanted > _NEGLIGIBLE)
    at = at[:: max(1, len(at) // _MOST_POINTS)]
    slopes = np.gradient(found, *old.grid)
    return _Level((at + start + 0.5) * new.grid, wanted[tuple(at.T)], (found, *slopes), origin + 0.5, old.grid)


def _refine(level: _Level, start: _Affine) -> _Affine:
    """Move and stretch a map until the smoothed masks agree (Gauss-Newton)."""
    matrix, offset = first, _ = start
    places = level.places
    centre, size = places.mean(axis=0), float(places.std(axis=0).mean()) + 1
    relative = np.column_stack([(places - centre) / size, np.ones(len(places))])
    jacobian = np.empty((len(places), 6))
    for _ in range(_STEPS):
        at = ((places @ matrix.T + offset) / level.grid - level.origin).T
        value, down, across = (ndimage.map_coordinates(image, at, order=1) for image in level.found)
        np.multiply(relative, (down * size)[:, None], out=jacobian[:, :3])
        np.multiply(relative, (across * size)[:, None], out=jacobian[:, 3:])
        normal = jacobian.T @ jacobian
        mean = float(np.trace(normal)) / 6
        bent = np.hstack([matrix - first, np.zeros((2, 1))]).ravel()
        stiff = _STIFFNESS * mean * _BENDING
        wrong = jacobian.T @ (level.wanted - value) - stiff * bent
        change = np.linalg.solve(normal + np.diag(stiff + _LEAST * (mean + 1)), wrong).reshape(2, 3)
        bend, move = change[:, :2], change[:, 2] * size
        matrix = matrix + bend
        offset = offset + move - bend @ centre
        if max(np.abs(move).max(), np.abs(bend).max() * size) < _SMALLEST_MOVE_MM:
            break
    return matrix, offset


class _Overlap(NamedTuple):
    """Overlap of two masks: their Dice coefficient, and the share of the smaller that lies within the other."""

    dice: float
    within: float


def _overlap(new: _Mask, old: _Mask, fit: _Affine) -> _Overlap:
    """Overlap of the new mask and the prior's on it, without what lies beyond the prior's image."""
    matrix, offset = fit
    at = (new.places @ matrix.T + offset) / old.grid - 0.5
    shown = ((at > -0.5) & (at < np.array(old.image) - 0.5)).all(axis=1)
    value = ndimage.map_coordinates(old.share, (at[shown] - old.first).T, order=1)
    mine = new.weights[shown]
    area = float(np.abs(np.linalg.det(matrix)) * new.grid.prod() / old.grid.prod())
    sizes = float(mine.sum()), float(old.share.sum()) / max(area, 1e-6)
    both = float(np.minimum(mine, value).sum())
    return _Overlap(2 * both / max(sum(sizes), 1e-6), both / max(min(sizes), 1e-6))


def _in_pixels(fit: _Affine, new_mm: NDArray[np.float64], old_mm: NDArray[np.float64], overlap: float = 0.0) -> PartMap:
    """A map in mm as one in pixels; the centre of the first pixel is (0, 0)."""
    matrix, offset = fit
    return PartMap(matrix * new_mm / old_mm[:, None], (matrix @ (0.5 * new_mm) + offset) / old_mm - 0.5, overlap)
