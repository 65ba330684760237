"""Find the masks that belong to a scan in a folder of masks, such as corrected ones, and lay them on the scan."""

from __future__ import annotations

import os
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import looks_like_dicom, read_header
from napari_bonescint.formats.masks.dicom_seg_reader import referenced_images
from napari_bonescint.formats.masks.mask import MaskDoesNotFit, lay_on
from napari_bonescint.formats.masks.registry import looks_like_mask, read_mask
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start
from napari_bonescint.results import Result, ResultError
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_bonescint.batch.job import Job
    from napari_bonescint.scan import Scan

_ALL_VIEWS = (".regions.tif", ".seg.dcm", ".nii.gz", ".nii", ".tif", ".png")
# Hot spots of a report, which refer to the same images.
_HOT_SPOTS = tuple(f".{view.value}.seg.dcm" for view in ViewName)
_EACH_VIEW = (".nii.gz", ".nii", ".tif", ".png")


class NoMask(BonescintError):
    """A folder of masks holds none for a scan, or none that names regions."""


def read_given_masks(folder: Path, job: Job, scan: Scan, run: str = "") -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Find and read the masks of a scan.

    Parameters
    ----------
    folder : Path
        Folder of masks: in the same subfolders as the scan, with names that begin with the stem of its result, as
        `bonescint segment` and the export write them; or DICOM SEG files with any name that refer to the scan.
    job : Job
    scan : Scan
        The job's scan.
    run : str
        Name of the run; the DICOM SEG files of the folder are searched once in a run.

    Returns
    -------
    ndarray of uint8, shape (view, y, x), and tuple of str
        Region codes in the scan's views, and the names of the files.

    Raises
    ------
    NoMask
        If there is none, or it marks bone without naming regions.
    BonescintError
        If it cannot be read, or does not fit the scan.
    """
    paths = _by_name(folder, job, scan) or _by_reference(str(folder), run, scan)
    if not paths:
        stem = job.source.result.name
        raise NoMask(
            f"{job.name}: {folder} has no mask of this scan; name it {stem}.regions.tif, {stem}.seg.dcm, {stem}.nii.gz "
            f"or, for each view, {stem}.{scan.views[0].name}.nii.gz."
        )
    try:
        mask = lay_on(scan, [read_mask(path, None, scan) for path in paths])
    except MaskDoesNotFit as error:
        raise MaskDoesNotFit(f"{_names(paths)}: {error}") from error
    if not mask.names_regions:
        raise NoMask(f"{_names(paths)}: marks bone without naming regions; measuring needs a mask with region codes.")
    _require_same_views(paths, scan)
    return mask.regions, tuple(path.name for path in paths)


def _names(paths: tuple[Path, ...]) -> str:
    return " + ".join(str(path) for path in paths)


def _by_name(folder: Path, job: Job, scan: Scan) -> tuple[Path, ...]:
    base = folder / job.source.result
    for ending in _ALL_VIEWS:
        path = base.with_name(base.name + ending)
        if path.is_file():
            return (path,)
    for ending in _EACH_VIEW:
        paths = tuple(base.with_name(f"{base.name}.{view.name}{ending}") for view in scan.views)
        if all(path.is_file() for path in paths):
            return paths
    return ()


def _by_reference(folder: str, run: str, scan: Scan) -> tuple[Path, ...]:
    """The DICOM SEG files that refer to the scan's images."""
    found: dict[Path, None] = {}
    for source in scan.sources:
        if looks_like_dicom(read_start(source)):
            instance = read_header(source).text("SOPInstanceUID")
            found.update(dict.fromkeys(_segmentations(folder, run).get(instance, ())))
    return tuple(found)


@lru_cache(maxsize=2)
def _segmentations(folder: str, _run: str) -> dict[str, list[Path]]:
    """The DICOM SEG files of a folder, by the images that they refer to."""
    found: dict[str, list[Path]] = defaultdict(list)
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            if name.endswith(_HOT_SPOTS):
                continue
            try:
                if looks_like_dicom(read_start(path)) and looks_like_mask(path):
                    for instance in referenced_images(path):
                        found[instance].append(path)
            except Refusal:
                continue  # no mask; a damaged one is missed below, by the name of its scan
    return found


def _require_same_views(paths: tuple[Path, ...], scan: Scan) -> None:
    """Refuse masks of `bonescint segment` whose views are other ones, or mirrored, since TIFF does not state them."""
    ending = ".regions.tif"
    for path in paths:
        if not path.name.endswith(ending):
            continue
        recorded = Result(path.parent, path.name.removesuffix(ending)).recorded()
        if recorded is None:
            continue
        theirs = [(view["name"], view["flipped"]) for view in recorded.views]
        if theirs != [(view.name.value, view.flipped) for view in scan.views]:
            raise ResultError(
                f"{path}: was made with other views; give the options (--view, --flip-posterior, --split-sides) with "
                "which the scan was segmented."
            )
