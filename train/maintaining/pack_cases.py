#!/usr/bin/env python3
"""Pack simulated cases for a computer that is used for a short time, such as a rented GPU.

    python train/maintaining/pack_cases.py data/training --out packed/training
    python train/maintaining/pack_cases.py data/validation --out packed/validation --pixel-mm 1

A packed case has pixels of 3 mm in place of about 2.2 mm and rounded counts (`simulation/packed_counts.py`). It takes
about 100 kB in place of 3 MB. `bonescint train` reads it like any other case. Expected counts are summed over the
larger pixels; a pixel belongs to the region that covers most of it; lesions are kept with their pixels. Cases with
pixels of 3 mm or more keep them. Cases that are there already are left as they are.

Masks are compared in the pixels of a case, so Dice is 0.001 to 0.002 lower with pixels of 3 mm. Cases for validation
keep theirs with `--pixel-mm 1`, and take about 100 kB. Score weights for publication on the original cases.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder
from napari_bonescint.inference.preprocessing import Grid
from napari_bonescint.simulation.case import Case
from napari_bonescint.simulation.pathology import LesionKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from napari_bonescint.simulation.visible_lesions import VisibleLesion

PIXEL_MM = 3.0
_LEAST_COVERED = 0.5

# The float16 ratios of lesions are rounded to six significant bits, by up to 1 %; random bits do not compress.
_BITS_CUT = 5


def main() -> int:
    """Pack the cases of a folder, and print the size of each kind of file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="folder of `bonescint simulate`")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the packed cases")
    parser.add_argument("--pixel-mm", type=float, default=PIXEL_MM, help="their pixel size (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: %(default)s)")
    arguments = parser.parse_args()
    paths = sorted(arguments.cases.glob("case_*.npz"))
    if not paths:
        print(f"{arguments.cases}: holds no cases; simulate some first.", file=sys.stderr)
        return 1
    try:
        make_folder(arguments.out)
        pack = partial(pack_file, out=arguments.out, mm=arguments.pixel_mm)
        if arguments.workers == 1:
            sizes = list(map(pack, paths))
        else:
            with get_context("spawn").Pool(arguments.workers) as pool:
                sizes = list(pool.imap(pack, paths))
    except BonescintError as error:
        print(error, file=sys.stderr)
        return 1
    before = sum(path.stat().st_size for path in paths)
    largest = max(sizes) / 1e3
    print(f"{len(paths)} cases: {before / 1e6:.1f} MB -> {sum(sizes) / 1e6:.1f} MB, the largest {largest:.0f} kB")
    return 0


def pack_file(path: Path, out: Path, mm: float) -> int:
    """Pack one case into a file of the same name, unless it is there; returns the size in bytes."""
    packed = out / path.name
    if not packed.exists():
        coarsen(Case.load(path), mm).save_packed(packed)
    return packed.stat().st_size


def coarsen(case: Case, mm: float) -> Case:
    """The case with pixels of `mm`; the same case if its pixels are not smaller."""
    if case.pixel_mm >= mm:
        return replace(case, lesions=tuple(map(_with_fewer_bits, case.lesions)))
    rows, columns = case.regions.shape[1:]
    grid = Grid((rows, columns), (case.pixel_mm, case.pixel_mm), mm)
    shares = np.stack([grid.coarsen(case.regions == code) for code in range(int(case.regions.max()) + 1)])
    return Case(
        grid.coarsen(case.expected) * np.float32((mm / case.pixel_mm) ** 2),
        shares.argmax(axis=0).astype(np.uint8),
        mm,
        tuple(_coarsen_lesions(case, grid)),
    )


def _coarsen_lesions(case: Case, grid: Grid) -> Iterator[VisibleLesion]:
    """Each lesion with the coarser pixels that it covers at least half of, and its mean ratio there."""
    without = case.without_lesions.ravel()
    for lesion in case.lesions:
        ratio = lesion.ratio.astype(np.float32)
        # Counts of a joint are among those that the ratio of another lesion refers to.
        rest = without[lesion.pixels] / (1 + ratio if lesion.kind is LesionKind.JOINT else 1)
        covered, own, others = (
            grid.coarsen(_image_of(values, lesion, case.regions.shape)).ravel()
            for values in (np.ones_like(ratio), ratio * rest, rest)
        )
        pixels = np.flatnonzero(covered >= _LEAST_COVERED).astype(np.int32)
        ratios: NDArray[np.float16] = np.minimum(own[pixels] / np.maximum(others[pixels], 1e-9), 6e4).astype(np.float16)
        yield _with_fewer_bits(replace(lesion, pixels=pixels, ratio=ratios))


def _image_of(values: NDArray[np.float32], lesion: VisibleLesion, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values (k,) of a lesion's pixels as an image, 0 elsewhere."""
    image = np.zeros(shape, np.float32)
    image.ravel()[lesion.pixels] = values
    return image


def _with_fewer_bits(lesion: VisibleLesion) -> VisibleLesion:
    bits = lesion.ratio.view(np.uint16)
    rounded = (bits + np.uint16(1 << _BITS_CUT - 1)) & np.uint16(0xFFFF << _BITS_CUT & 0xFFFF)
    return replace(lesion, ratio=rounded.view(np.float16))


if __name__ == "__main__":
    sys.exit(main())
