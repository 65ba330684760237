"""Make many kinds of input that are not bone scans as acquired, from simulated scans and scikit-image's pictures.

Each kind is a function of a subject and a random generator, and repeatable. No input is blank or has a size that a
reader refuses, because such input never reaches a network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import skimage.data
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage.color import rgb2gray
from skimage.transform import resize

from napari_bonescint.anatomy import CODES
from napari_bonescint.scan import Scan, View, ViewName

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from napari_bonescint.simulation.case import Case

    Kind = Callable[["Subject", np.random.Generator], Scan]

SHAPE = (1024, 256)
_SPACING = (2.26, 2.26)
_PHOTOGRAPHS = (
    "astronaut", "camera", "cat", "cell", "clock", "coffee", "coins", "horse", "hubble_deep_field",
    "immunohistochemistry", "moon", "retina", "rocket", "brick", "grass", "gravel",
)  # fmt: skip
_PAGES = ("page", "text")

# Centre below the skull's and to the patient's left, then half height and half width, in distances from the skull's
# centre to the pelvis's.
_ORGANS = {
    "brain": ((-0.04, 0.0, 0.13, 0.10),),
    "salivary glands": ((0.12, -0.06, 0.03, 0.02), (0.12, 0.06, 0.03, 0.02)),
    "thyroid": ((0.27, -0.02, 0.03, 0.015), (0.27, 0.02, 0.03, 0.015)),
    "heart": ((0.48, 0.07, 0.08, 0.08),),
    "liver": ((0.66, -0.11, 0.10, 0.14),),
    "spleen": ((0.64, 0.15, 0.06, 0.04),),
    "stomach": ((0.68, 0.12, 0.07, 0.06),),
    "kidneys": ((0.78, -0.10, 0.06, 0.03), (0.76, 0.10, 0.06, 0.03)),
    "bowel": ((0.90, 0.0, 0.12, 0.14),),
    "bladder": ((1.07, 0.0, 0.05, 0.06),),
}
_TRACERS = {
    "F-18 FDG": {"brain": 10, "heart": 5, "liver": 2, "spleen": 1.5, "kidneys": 4, "bladder": 15, "bowel": 1},
    "I-131": {"thyroid": 60, "salivary glands": 15, "stomach": 20, "bowel": 10, "bladder": 30},
    "I-123 MIBG": {"salivary glands": 4, "heart": 3, "liver": 5, "bowel": 2, "bladder": 8},
    "In-111 octreotide": {"liver": 5, "spleen": 9, "kidneys": 12, "bowel": 1.5, "bladder": 6},
}


@dataclass(frozen=True)
class Subject:
    """A simulated patient, from whom wrong inputs are made.

    Attributes
    ----------
    scan : Scan
        Both views, counted.
    regions : ndarray of uint8, shape (view, y, x)
        True region codes.
    soft : ndarray of float32, shape (view, y, x)
        Expected counts of soft tissue alone, about 1 inside the body.
    """

    scan: Scan
    regions: NDArray[np.uint8]
    soft: NDArray[np.float32]

    @classmethod
    def of(cls, case: Case, rng: np.random.Generator) -> Subject:
        """Draw counts for a simulated case, with a random total in the range of real scans."""
        soft = case.expected[-2]
        bright = np.quantile(soft[soft > 0.05 * soft.max()], 0.8)
        return cls(case.count(rng, float(np.exp(rng.uniform(*np.log((5e5, 4e6)))))), case.regions, soft / bright)

    @classmethod
    def from_counts(cls, scan: Scan, regions: NDArray[np.uint8]) -> Subject:
        """A subject from counts alone; its soft tissue is assumed to be uniform."""
        inside = [ndimage.gaussian_filter((view > 0).astype(np.float32), 6) > 0.3 for view in scan.counts]
        return cls(scan, regions, ndimage.gaussian_filter(np.float32(inside), (0, 4, 4)))


def either_view(subject: Subject, rng: np.random.Generator) -> Scan:
    """One correct view, as counts or, every second time, as an 8-bit picture of a viewer."""
    view = int(rng.integers(2))
    counts = subject.scan.counts[view]
    return _scan(_as_picture(counts, rng) if rng.random() < 0.5 else counts, view, subject.scan.spacing)


def photograph(_subject: Subject, rng: np.random.Generator) -> Scan:
    """A photograph or a micrograph, in its own proportions or squeezed to those of a whole-body scan."""
    image = _picture(str(rng.choice(_PHOTOGRAPHS)))
    shape = SHAPE if rng.random() < 0.5 else image.shape
    return _scan(_eight_bits(resize(image, shape)), int(rng.integers(2)))


def document(_subject: Subject, rng: np.random.Generator) -> Scan:
    """A page of print or a screenshot with text, dark on white or white on dark."""
    if rng.random() < 0.3:
        page = resize(_picture(str(rng.choice(_PAGES))), SHAPE)
    else:
        sheet = Image.new("L", SHAPE[::-1], 255)
        draw = ImageDraw.Draw(sheet)
        for line in range(20, SHAPE[0] - 30, int(rng.integers(14, 40))):
            letters = "".join(rng.choice(list("abcdefghijklmnop rstuvw "), int(rng.integers(10, 40))))
            draw.text((int(rng.integers(4, 30)), line), letters, fill=0, font_size=int(rng.integers(10, 22)))
        page = np.asarray(sheet) / 255
    return _scan(_eight_bits(page if rng.random() < 0.5 else 1 - page), int(rng.integers(2)))


def noise(_subject: Subject, rng: np.random.Generator) -> Scan:
    """Only noise: fine or blotchy, weak or strong."""
    level = float(np.exp(rng.uniform(*np.log((0.5, 100)))))
    sigma = float(rng.choice([0.0, 0.0, 2.0, 6.0, 15.0]))
    rough = ndimage.gaussian_filter(rng.normal(size=SHAPE), sigma)
    return _scan(rng.poisson(level * np.exp((sigma > 0) * rough / rough.std() / 2)), int(rng.integers(2)))


def nearly_empty(subject: Subject, rng: np.random.Generator) -> Scan:
    """Background and a few counts: an empty table, a scan stopped at once, or a single hot source."""
    counts = rng.poisson(float(rng.uniform(0.001, 0.05)), SHAPE).astype(np.float64)
    which = rng.integers(3)
    if which == 0:
        counts += rng.binomial(subject.scan.counts[0].astype(np.int64), 2e-3)
    elif which == 1:
        row, column = rng.integers(30, SHAPE[0] - 30), rng.integers(30, SHAPE[1] - 30)
        _add_ellipse(counts, (row, column), (8, 8), 200.0)
    return _scan(np.round(counts), int(rng.integers(2)))


def flood_or_phantom(_subject: Subject, rng: np.random.Generator) -> Scan:
    """A test image of a camera: flood field, bars, disc, rods, or Shepp-Logan phantom."""
    rows, columns = np.indices(SHAPE)
    period = int(rng.integers(6, 24))
    rods = np.zeros(SHAPE)
    for _ in range(12):
        _add_ellipse(rods, (rng.integers(200, 800), rng.integers(40, 216)), (rng.integers(4, 20),) * 2, 1.0)
    mean = (
        np.ones(SHAPE),
        1.0 * ((rows // period) % 2 == 0) * (abs(rows - 512) < 150),
        1.0 * ((columns // period) % 2 == 0),
        1.0 * (np.hypot(rows - 512, columns - 128) < rng.uniform(60, 120)),
        rods,
        np.pad(resize(skimage.data.shepp_logan_phantom(), (256, 256)), ((384, 384), (0, 0))),
    )[int(rng.integers(6))]
    blurred = ndimage.gaussian_filter(mean, rng.uniform(1, 3))
    return _scan(rng.poisson(np.maximum(blurred, 0) * rng.uniform(5, 60) + 0.05), int(rng.integers(2)))


def radiograph(subject: Subject, rng: np.random.Generator) -> Scan:
    """An X-ray-like picture of the whole body: sharp, dense soft tissue, bones only half brighter; either polarity."""
    view = int(rng.integers(2))
    inside = ndimage.binary_fill_holes((subject.soft[view] > 0.3) | (subject.regions[view] > 0))
    thickness = np.sqrt(ndimage.distance_transform_edt(inside))
    bone = subject.regions[view] > 0
    cortex = bone & ~ndimage.binary_erosion(bone, iterations=2)
    dense = thickness / np.quantile(thickness[inside], 0.95) + rng.uniform(0.3, 0.6) * (bone + 0.5 * cortex)
    dense = ndimage.gaussian_filter(dense, 0.7) + rng.normal(0, 0.02, dense.shape)
    picture = 1 - np.exp(-rng.uniform(0.8, 2.0) * np.maximum(dense, 0))
    return _scan(_eight_bits(picture if rng.random() < 0.6 else -picture), view, subject.scan.spacing)


def upside_down(subject: Subject, rng: np.random.Generator) -> Scan:
    """An upside-down view: rotated by 180 degrees, or mirrored top to bottom."""
    scan = either_view(subject, rng)
    turned = scan.counts[:, ::-1, ::-1] if rng.random() < 0.5 else scan.counts[:, ::-1]
    return replace(scan, counts=turned.copy())


def sideways(subject: Subject, rng: np.random.Generator) -> Scan:
    """A view rotated by 90 degrees to either side."""
    scan = either_view(subject, rng)
    return replace(scan, counts=np.rot90(scan.counts, rng.choice([1, 3]), axes=(1, 2)).copy())


def other_view(subject: Subject, rng: np.random.Generator) -> Scan:
    """An anterior view named posterior, or the other way round."""
    scan = either_view(subject, rng)
    return replace(scan, views=(View(scan.views[0].name.opposite),))


def posterior_mirrored(subject: Subject, _rng: np.random.Generator) -> Scan:
    """Both views, the posterior one mirrored left to right, as some exports show it."""
    anterior, posterior = subject.scan.counts
    return replace(subject.scan, counts=np.stack([anterior, posterior[:, ::-1]]))


def views_swapped(subject: Subject, _rng: np.random.Generator) -> Scan:
    """Both views under each other's name."""
    return replace(subject.scan, counts=subject.scan.counts[::-1].copy())


def side_by_side(subject: Subject, rng: np.random.Generator) -> Scan:
    """Both views in one image that was not split."""
    counts = np.concatenate(list(subject.scan.counts), axis=1)
    return _scan(_as_picture(counts, rng) if rng.random() < 0.5 else counts, 0, subject.scan.spacing)


def single_region(subject: Subject, rng: np.random.Generator) -> Scan:
    """A spot view: a square around one bone, in pixels as fine as in the scan or twice as fine."""
    view = int(rng.integers(2))
    name = str(
        rng.choice(["skull", "pelvis", "lower_leg", "foot", "hand", "humerus", "thoracic_spine", "lumbar_spine"])
    )
    found, _ = ndimage.label(subject.regions[view] == CODES[name])
    largest = found == 1 + np.argmax(np.bincount(found.ravel())[1:])
    row, column = (int(c) for c in ndimage.center_of_mass(largest))
    half = int(rng.integers(50, 80))
    padded = np.pad(subject.scan.counts[view], half)
    spot = padded[row : row + 2 * half, column : column + 2 * half]
    assert subject.scan.spacing is not None  # noqa: S101 - simulated scans have one
    if rng.random() < 0.5:
        return _scan(spot, view, subject.scan.spacing)
    fine = rng.poisson(np.kron(ndimage.gaussian_filter(spot.astype(float), 1), np.ones((2, 2))))
    return _scan(fine, view, (subject.scan.spacing[0] / 2, subject.scan.spacing[1] / 2))


def other_tracer(subject: Subject, rng: np.random.Generator) -> Scan:
    """A whole-body picture of a tracer that bone does not take up."""
    view = int(rng.integers(2))
    regions = subject.regions[view]
    skull, pelvis = (ndimage.center_of_mass(regions == CODES[name]) for name in ("skull", "pelvis"))
    unit = pelvis[0] - skull[0]
    left = 1 if view == 0 else -1
    tracer = _TRACERS[str(rng.choice(list(_TRACERS)))]
    mean = subject.soft[view].astype(np.float64)
    for organ, uptake in tracer.items():
        level = uptake * np.exp(rng.normal(0, 0.4))
        for down, aside, height, width in _ORGANS[organ]:
            centre = (skull[0] + down * unit, pelvis[1] + left * aside * unit)
            _add_ellipse(mean, centre, (height * unit, width * unit), level)
    blurred = ndimage.gaussian_filter(mean, rng.uniform(1.5, 3))
    total = np.exp(rng.uniform(*np.log((2e5, 2e6))))
    return _scan(rng.poisson(blurred * total / blurred.sum()), view, subject.scan.spacing)


def blood_pool(subject: Subject, rng: np.random.Generator) -> Scan:
    """Minutes after injection: soft tissue, heart, liver, spleen and kidneys, and no bone yet."""
    view = int(rng.integers(2))
    regions = subject.regions[view]
    skull, pelvis = (ndimage.center_of_mass(regions == CODES[name]) for name in ("skull", "pelvis"))
    unit = pelvis[0] - skull[0]
    mean = subject.soft[view].astype(np.float64)
    for organ, uptake in {"heart": 1.2, "liver": 0.9, "spleen": 0.8, "kidneys": 1.2, "bladder": 1.0}.items():
        for down, aside, height, width in _ORGANS[organ]:
            centre = (skull[0] + down * unit, pelvis[1] + (1 if view == 0 else -1) * aside * unit)
            _add_ellipse(mean, centre, (height * unit, width * unit), uptake * np.exp(rng.normal(0, 0.4)))
    blurred = ndimage.gaussian_filter(mean, 2)
    return _scan(rng.poisson(blurred * rng.uniform(3e5, 1.5e6) / blurred.sum()), view, subject.scan.spacing)


def inverted_grey(subject: Subject, rng: np.random.Generator) -> Scan:
    """A viewer's picture with dark bones on white."""
    view = int(rng.integers(2))
    return _scan(255 - _as_picture(subject.scan.counts[view], rng), view, subject.scan.spacing)


KINDS: dict[str, Kind] = {
    "photograph": photograph,
    "document": document,
    "noise": noise,
    "nearly empty": nearly_empty,
    "flood or phantom": flood_or_phantom,
    "radiograph": radiograph,
    "upside down": upside_down,
    "sideways": sideways,
    "other view's name": other_view,
    "views swapped": views_swapped,
    "side by side": side_by_side,
    "single region": single_region,
    "other tracer": other_tracer,
    "blood pool": blood_pool,
    "dark on white": inverted_grey,
    "posterior mirrored": posterior_mirrored,
}


def _scan(counts: NDArray[np.generic], view: int, spacing: tuple[float, float] | None = _SPACING) -> Scan:
    return Scan(np.asarray(counts, np.uint16)[None], (View(tuple(ViewName)[view]),), spacing)


def _picture(name: str) -> NDArray[np.float64]:
    image = np.asarray(getattr(skimage.data, name)(), np.float64)
    grey = rgb2gray(image) if image.ndim == 3 else image
    return np.asarray(grey / grey.max())


def _eight_bits(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    low, high = picture.min(), picture.max()
    return np.round(255 * (picture - low) / (high - low)).astype(np.uint8)


def _as_picture(counts: NDArray[np.generic], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture as a viewer saves it: counts clipped at the window's upper level, with a gamma."""
    top = np.quantile(counts, rng.uniform(0.985, 0.999)) + 1
    return np.round(255 * np.clip(counts / top, 0, 1) ** rng.uniform(0.6, 1.1)).astype(np.uint8)


def _add_ellipse(
    image: NDArray[np.float64], centre: tuple[float, float], radii: tuple[float, float], level: float
) -> None:
    rows, columns = np.indices(image.shape)
    image += level * (((rows - centre[0]) / radii[0]) ** 2 + ((columns - centre[1]) / radii[1]) ** 2 < 1)
