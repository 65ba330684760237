"""Measures that compare a simulated anterior view with a real one.

All measures use raw counts and a region mask of the same shape. Both scans should have masks of the same model. Each
measure is a ratio, a share or a length, so it depends neither on the number of counts nor on the pixel size. The
docstrings of the functions define the measures.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydicom.data import get_testdata_file
from scipy import ndimage

from napari_bonescint.anatomy import CODES, REGIONS
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.opening import open_scan
from napari_bonescint.scan import Scan, ViewName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_bonescint.simulation.case import Case

    Mask = NDArray[np.bool_]

NM1_COUNTS = 3_596_452
"""Counts of NM1's anterior view."""

QUANTILES = (0.05, 0.25, 0.75, 0.95, 0.99, 0.999)

_PATCH = 8
_STEP_MM = 0.5


class SampleMissingError(BonescintError):
    """The NM1 scan is not installed."""


def read_nm1() -> Scan:
    """NEMA's NM1 scan: raw counts of a real patient, anterior view only."""
    path = get_testdata_file("JPEG-LL.dcm", download=False)
    if path is None:
        raise SampleMissingError("NM1 is missing; install it with: pip install --force-reinstall pydicom-data")
    return open_scan(Path(path), view=ViewName.ANTERIOR)


def count_anterior(case: Case, seed: int, counts: float) -> Scan:
    """Draw counts for a case so that its anterior view, with urine, has about this total; repeatable by seed."""
    # `Case.count` takes a total for both views without urine; a first draw gives the ratio.
    trial = 1e6
    seen = int(case.count(np.random.default_rng(seed), trial).counts[0].sum())
    return case.count(np.random.default_rng(seed), trial * counts / seen)


@dataclass(frozen=True)
class Look:
    """One anterior view to measure.

    Attributes
    ----------
    counts : ndarray of float, shape (y, x)
        Raw counts.
    regions : ndarray of uint8, shape (y, x)
        Region codes.
    pixel_mm : float
        Pixel size.
    """

    counts: NDArray[np.float64]
    regions: NDArray[np.uint8]
    pixel_mm: float

    @cached_property
    def body(self) -> Mask:
        """Mask of the body: counts smoothed by 6 mm (sigma) above 4 % of the bones' median."""
        smooth: NDArray[np.float64] = ndimage.gaussian_filter(self.counts, 6 / self.pixel_mm)
        return smooth > 0.04 * float(np.median(self.counts[self.regions > 0]))

    @cached_property
    def rows(self) -> Mask:
        """Rows (y,) that show any of the body."""
        return np.asarray(self.body.any(axis=1), bool)

    @cached_property
    def outside_mm(self) -> NDArray[np.float64]:
        """Distance from the body in mm."""
        return self._distance_mm(self.body)

    @cached_property
    def soft_tissue(self) -> Mask:
        """Inside the body, 8 mm from its edge and 8 mm from any bone."""
        return (self._distance_mm(~self.body) > 8) & (self._distance_mm(self.regions > 0) > 8)

    @cached_property
    def _thighs(self) -> Mask:
        return self.soft_tissue & self._rows_of("femur", 0.25, 0.75)[:, None]

    @cached_property
    def _abdomen(self) -> Mask:
        return self.soft_tissue & self._rows_of("lumbar_spine", 0, 1)[:, None]

    def measures(self) -> dict[str, float]:
        """All measures by name; NaN if the scan does not show the anatomy."""
        return {
            **self.histogram(),
            **self.background(),
            **self.noise(),
            **self.contrasts(),
            **self.unevenness(),
            **self.edges(),
        }

    def histogram(self) -> dict[str, float]:
        """Quantiles of counts in the body over the body's median, and the share of pixels without a count.

        The share is of all pixels in the rows that show the body.
        """
        inside = self.counts[self.body]
        median = np.median(inside)
        quantiles = {f"body, {100 * q:g} % quantile / median": np.quantile(inside, q) / median for q in QUANTILES}
        return {**quantiles, "pixels without a count": float((self.counts[self.rows] == 0).mean())}

    def background(self) -> dict[str, float]:
        """Mean counts beside the body over the body's median: 10 to 30 mm from it, and beyond 60 mm."""
        median = np.median(self.counts[self.body])
        beside = self.rows[:, None] & (self.outside_mm > 10)
        near, far = beside & (self.outside_mm < 30), beside & (self.outside_mm > 60)
        return {
            "10-30 mm beside the body / body median": _mean(self.counts[near]) / median,
            "over 60 mm beside the body / body median": _mean(self.counts[far]) / median,
        }

    def noise(self) -> dict[str, float]:
        """Noise of patches of 8 x 8 pixels, each less its best plane, over the patch's mean: 1 for Poisson noise.

        Variance over mean in thighs (rows of the middle half of the femur), abdomen (rows of the lumbar spine) and over
        30 mm outside the body. Noise power is the squared Fourier transform over the patch's size and mean, averaged in
        rings of cycles per pixel, over all soft tissue.
        """
        masks = {
            "thighs": self._thighs,
            "abdomen": self._abdomen,
            "outside the body": self.rows[:, None] & (self.outside_mm > 30),
        }
        found = {f"variance / mean, {name}": _variance_over_mean(self.counts, mask) for name, mask in masks.items()}
        return {**found, **_noise_power(self.counts, self.soft_tissue)}

    def contrasts(self) -> dict[str, float]:
        """Mean counts of each region over those of the soft tissue within 30 mm of it (see `soft_tissue`).

        And soft tissue of the abdomen over that of the thighs, and the share of all counts in the bones' masks.
        """
        found = {
            "soft tissue, abdomen / thighs": _mean(self.counts[self._abdomen]) / _mean(self.counts[self._thighs]),
            "share of counts in bones' masks": float(self.counts[self.regions > 0].sum() / self.counts.sum()),
        }
        for region in REGIONS[1:]:
            mask = self.regions == region.code
            around = self.soft_tissue & (self._distance_mm(mask) < 30) if mask.any() else mask
            found[f"{region.label} / soft tissue"] = _mean(self.counts[mask]) / _mean(self.counts[around])
        return found

    def unevenness(self) -> dict[str, float]:
        """Standard deviation of counts beyond Poisson noise over their mean, for large regions."""
        found = {}
        for name in ("skull", "ribs", "pelvis", "femur", "lower_leg"):
            inside = self.counts[self.regions == CODES[name]]
            beyond = np.sqrt(max(inside.var() - inside.mean(), 0)) if inside.size else np.nan
            found[f"unevenness, {REGIONS[CODES[name]].label}"] = float(beyond / _mean(inside))
        return found

    def edges(self) -> dict[str, float]:
        """Sharpness where anatomy is simple: the middle 40 % of the femoral shafts, and the lateral skin beside them.

        Rows are averaged after alignment: on the shaft's axis (a parabola through the mask's centres), or on the
        body's edge. A rise is the distance over which the profile goes from 10 to 90 % of the way from the lowest
        point within 30 mm beside the axis to the peak (mean of both sides), or from the counts 30 mm outside the body
        to the highest within 30 mm inside it.
        """
        profiles = list(self._shafts())
        rises = [
            _rise_mm(side)
            for shaft, _ in profiles
            for side in (shaft[: shaft.size // 2 + 1], shaft[shaft.size // 2 :][::-1])
        ]
        skins = [_rise_mm(skin) for _, skin in profiles]
        peaks = [shaft[shaft.size // 2 - 10 : shaft.size // 2 + 11].max() / _flank(shaft) for shaft, _ in profiles]
        return {
            "femoral shaft, 10-90 % rise (mm)": _mean(np.array(rises)),
            "femoral shaft, peak / flank": _mean(np.array(peaks)),
            "skin of the thigh, 10-90 % rise (mm)": _mean(np.array(skins)),
        }

    def _shafts(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Mean profile across the shafts of both femora, and across the lateral skin, outside first."""
        rows = np.flatnonzero(self._rows_of("femur", 0.3, 0.7)).tolist()
        femur = self.regions == CODES["femur"]
        if not rows:
            return
        middle = float(np.mean(np.nonzero(femur)[1]))
        columns = np.arange(femur.shape[1])
        for side, outward in ((columns < middle, -1), (columns >= middle, 1)):
            shown = [row for row in rows if (femur[row] & side).any()]
            if len(shown) < 10:
                continue
            centres = [float(columns[femur[row] & side].mean()) for row in shown]
            axis = np.polyval(np.polyfit(shown, centres, 2), shown).astype(np.float64)
            skin = [self._skin(row, round(x), outward) for row, x in zip(shown, axis, strict=True)]
            yield self._profile(shown, axis, 30.0, outward), self._profile(shown, np.array(skin, float), 30.0, outward)

    def _skin(self, row: int, column: int, outward: int) -> int:
        """The last column of the body from a column outward."""
        beyond = self.body[row, column::outward] if outward > 0 else self.body[row, column::-1]
        return column + outward * (int(np.argmin(beyond)) - 1 if not beyond.all() else beyond.size - 1)

    def _profile(
        self, rows: list[int], centres: NDArray[np.float64], reach_mm: float, outward: int
    ) -> NDArray[np.float64]:
        """Mean over rows of counts along x from `reach_mm` outside of the centres to as far inside."""
        offsets = np.arange(reach_mm, -reach_mm - _STEP_MM / 2, -_STEP_MM) * outward / self.pixel_mm
        x = centres[:, None] + offsets
        y = np.repeat(np.array(rows, float)[:, None], offsets.size, axis=1)
        profile: NDArray[np.float64] = ndimage.map_coordinates(self.counts, (y, x), order=1).mean(axis=0)
        return profile

    def _rows_of(self, region: str, start: float, stop: float) -> Mask:
        """Rows between two fractions of a region's height."""
        chosen = np.zeros(len(self.counts), bool)
        rows = np.flatnonzero((self.regions == CODES[region]).any(axis=1))
        if rows.size:
            top, height = rows[0], rows[-1] - rows[0] + 1
            chosen[round(top + start * height) : round(top + stop * height)] = True
        return chosen

    def _distance_mm(self, mask: Mask) -> NDArray[np.float64]:
        distance: NDArray[np.float64] = ndimage.distance_transform_edt(~mask) * self.pixel_mm
        return distance


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _patches(counts: NDArray[np.float64], mask: Mask) -> NDArray[np.float64]:
    """All patches of a fixed tiling that lie wholly in the mask: (patch, y, x)."""
    rows, columns = (n // _PATCH * _PATCH for n in counts.shape)
    tiled = (rows // _PATCH, _PATCH, columns // _PATCH, _PATCH)
    inside = mask[:rows, :columns].reshape(tiled).all(axis=(1, 3))
    patches: NDArray[np.float64] = counts[:rows, :columns].reshape(tiled).swapaxes(1, 2)[inside]
    return patches


def _without_planes(patches: NDArray[np.float64]) -> NDArray[np.float64]:
    """Residual of each patch after subtracting its mean and slopes."""
    ramp = np.arange(_PATCH) - (_PATCH - 1) / 2
    power = _PATCH * (ramp**2).sum()
    down, across = np.broadcast_to(ramp[:, None], (_PATCH, _PATCH)), np.broadcast_to(ramp, (_PATCH, _PATCH))
    planes = patches.mean(axis=(1, 2), keepdims=True)
    for slope in (down, across):
        planes = planes + slope * (patches * slope).sum(axis=(1, 2), keepdims=True) / power
    residual: NDArray[np.float64] = patches - planes
    return residual


def _variance_over_mean(counts: NDArray[np.float64], mask: Mask) -> float:
    """Sum of variances over sum of means of the patches: steadier than the mean of ratios where counts are few."""
    patches = _patches(counts, mask)
    freedom = _PATCH**2 - 3
    total = patches.mean(axis=(1, 2)).sum()
    return float((_without_planes(patches) ** 2).sum() / freedom / total) if total > 0 else float("nan")


def _noise_power(counts: NDArray[np.float64], mask: Mask) -> dict[str, float]:
    patches = _patches(counts, mask)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(_PATCH), np.fft.fftfreq(_PATCH)))
    total = patches.sum()
    power = (np.abs(np.fft.fft2(_without_planes(patches))) ** 2).sum(axis=0) / total if total > 0 else None
    rings = ((0.15, 0.25), (0.25, 0.35), (0.35, 0.5))
    return {
        f"noise power, {low:g}-{high:g} / pixel": float("nan")
        if power is None
        else float(power[(frequency >= low) & (frequency < high)].mean())
        for low, high in rings
    }


def _flank(shaft: NDArray[np.float64]) -> float:
    """Mean of the lowest points on either side of a shaft's profile."""
    middle = shaft.size // 2
    return float((shaft[:middle].min() + shaft[middle:].min()) / 2)


def _rise_mm(profile: NDArray[np.float64]) -> float:
    """From the last point at 10 % to the first at 90 % of the way from the lowest point to the peak after it, in mm."""
    top = int(np.argmax(profile))
    if top == 0:
        return float("nan")
    start = int(np.argmin(profile[:top]))
    share = (profile[start : top + 1] - profile[start]) / (profile[top] - profile[start])
    high = int(np.argmax(share >= 0.9))
    low = int(np.flatnonzero(share[: high + 1] <= 0.1)[-1])
    steps = _crossing(share, high, 0.9) - _crossing(share, low + 1, 0.1)
    return steps * _STEP_MM


def _crossing(share: NDArray[np.float64], after: int, level: float) -> float:
    """Position, in steps, at which the line from the point before `after` to that at `after` reaches a level."""
    before = share[after - 1]
    return after - 1 + float((level - before) / (share[after] - before))
