"""Opening whatever a user names: files of any format that is read, and folders of them."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np

from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine, read_planar_header
from napari_bonescint.formats.pictures.raster import looks_like_raster, read_raster
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start, read_whole, sha256
from napari_bonescint.scan import SAME_VIEW, Scan, Spacing, ViewName, ViewSource, file_stem, is_outnumbering
from napari_bonescint.scan_edits import flip, name_views, split_side_by_side, with_spacing

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping


def open_scan(
    path: Path,
    *,
    view: ViewName | None = None,
    spacing: Spacing | None = None,
    split_sides: bool = False,
    flip_posterior: bool = False,
) -> Scan:
    """Read one file, whatever its name, and apply what the user says about it.

    Parameters
    ----------
    path : Path
        DICOM, PNG or TIFF, told apart by content.
    view : ViewName, optional
        The view, or of two the first, whatever the file says.
    spacing : (float, float), optional
        Pixel spacing (y, x) in mm, where the file does not give it.
    split_sides : bool
        Whether the image shows anterior and posterior side by side, to be split.
    flip_posterior : bool
        Whether to mirror the posterior view.

    Raises
    ------
    Refusal
        If the file cannot be read as a scan.
    CannotRearrange
        If it does not admit what the user says about it.
    """
    return ScanSource((path,), Path(file_stem(path))).open(
        view=view, spacing=spacing, split_sides=split_sides, flip_posterior=flip_posterior
    )


class ScanOverrides(TypedDict, total=False):
    """What a user says about a scan: the keywords of `open_scan`."""

    view: ViewName | None
    spacing: Spacing | None
    split_sides: bool
    flip_posterior: bool


@dataclass(frozen=True, slots=True)
class ScanSource:
    """One scan that can be opened: a file, or two files of one study with a view each.

    Attributes
    ----------
    paths : tuple of Path
        The file; or the anterior and the posterior one.
    result : Path
        Where results belong below an output folder, without extension: the stem of the file (of two, of the one that
        was named or found first), in the folders that it lies in below the folder that the user named.
    doubts : tuple of str
        Sentences about the view that the file names, or that is assumed, in the light of the other files.
    """

    paths: tuple[Path, ...]
    result: Path
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The files as the user named them."""
        return " + ".join(str(path) for path in self.paths)

    def open(
        self,
        *,
        view: ViewName | None = None,
        spacing: Spacing | None = None,
        split_sides: bool = False,
        flip_posterior: bool = False,
    ) -> Scan:
        """Read the scan; see `open_scan`."""
        with refusing(self.paths[0]):
            scans = [_read(path) for path in self.paths]
            scan = scans[0] if len(scans) == 1 else _join(*scans)
            scan = scan if view or split_sides else replace(scan, warnings=(*scan.warnings, *self.doubts))
            # Splitting comes before naming: what is split is not one view.
            scan = split_side_by_side(scan) if split_sides else scan
            scan = name_views(scan, view) if view is not None else scan
            scan = with_spacing(scan, spacing) if spacing is not None else scan
            return flip(scan, ViewName.POSTERIOR) if flip_posterior else scan

    def source_sha256(self) -> str:
        """The hash that the scan's `source_sha256` will be, without decoding it.

        Raises
        ------
        Refusal
            If a file cannot be read.
        """
        return _joint_sha256([sha256(read_whole(path)) for path in self.paths])


@dataclass(frozen=True)
class Collection:
    """What there is to open among files and folders.

    Attributes
    ----------
    sources : tuple of ScanSource
        Scans in the order in which they were named or found.
    failures : tuple of Refusal
        Files that were named and cannot be read, folders without a scan, and scans in folders that are broken.
    skipped : mapping of str to int
        How many files in folders are no planar bone scans, by reason.
    """

    sources: tuple[ScanSource, ...]
    failures: tuple[Refusal, ...]
    skipped: Mapping[str, int]


def collect(inputs: Iterable[Path]) -> Collection:
    """Find the scans among files and folders, without decoding a pixel.

    Parameters
    ----------
    inputs : iterable of Path
        DICOM, PNG and TIFF files, and folders that are searched for DICOM files all the way down. A file that turns up
        twice is taken once.

    Returns
    -------
    Collection
        Two files of one study that show one view each, anterior and posterior, of the same size and spacing, are one
        source. Several that show the same view are doubted: one may be the other view, called wrongly. Only small facts
        about each file are kept, so that thousands fit.
    """
    found: dict[str, _Found] = {}
    failures: list[Refusal] = []
    skipped: Counter[str] = Counter()
    for given in inputs:
        if _is_folder(given):
            _look_into(given, found, failures, skipped)
            continue
        try:
            # Looked at even if it was found before: a file that is named is told about, whatever is wrong with it.
            look = _look_at(given)
            found.setdefault(os.path.realpath(given), look)
        except Refusal as failure:
            failures.append(failure)
    return Collection(tuple(_pair(list(found.values()))), tuple(failures), skipped)


class _Single(NamedTuple):
    """What two single-view files must have in common to be one scan; UIDs are only compared, never passed on."""

    view: ViewName
    study: str
    series: str
    alike: Hashable
    has_partner: bool
    """Whether the other view may be looked for: the file itself names this one, and it is no spot."""


class _Found(NamedTuple):
    path: Path
    result: Path
    single: _Single | None = None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a path that may not even be looked at; reading it says so
        return False


def _look_into(folder: Path, found: dict[str, _Found], failures: list[Refusal], skipped: Counter[str]) -> None:
    """Add what there is in a folder and all below it."""

    def report(error: OSError) -> None:
        failures.append(Refusal(Path(error.filename), f"The folder could not be read ({error.strerror})."))

    failed = len(failures)
    scans = 0
    for parent, folders, names in os.walk(folder, onerror=report):
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            file = os.path.realpath(path)
            try:
                if file not in found:
                    found[file] = _look_at_dicom(path, path.relative_to(folder).parent / file_stem(path))
                scans += 1
            except NotAPlanarScan as no_scan:
                skipped[no_scan.reason] += 1
            except Refusal as failure:
                failures.append(failure)
    if not scans and len(failures) == failed:
        failures.append(NotAPlanarScan(folder, "The folder holds no planar bone scan."))


def _look_at(path: Path) -> _Found:
    """Look at a file that the user named."""
    result = Path(file_stem(path))
    return _Found(path, result) if _is_raster(path) else _look_at_dicom(path, result)


def _look_at_dicom(path: Path, result: Path) -> _Found:
    header = read_planar_header(path)
    single = None
    views = list(header.views.values())
    if len(views) == 1 and header.study and header.may_show_whole_body:
        alike = (header.size, header.spacing, header.planar_type)
        # Two STATIC spots of one study may show chest and pelvis.
        has_partner = views[0].source is ViewSource.FILE and header.planar_type != "STATIC"
        single = _Single(views[0].name, header.study, header.series, alike, has_partner)
    return _Found(path, result, single)


def _pair(found: list[_Found]) -> Iterator[ScanSource]:
    """One source for each file, or for two that belong together, in the order of the first."""
    partners: dict[Path, _Found] = {}
    # Within one series first: a study may hold an early and a late pair.
    for same_series in (True, False):
        groups: dict[Hashable, list[_Found]] = defaultdict(list)
        for each in found:
            if each.single and each.single.has_partner and each.path not in partners:
                series = each.single.series if same_series else ""
                groups[each.single.study, series, each.single.alike].append(each)
        for group in groups.values():
            views = {each.single.view for each in group if each.single}
            if len(group) == 2 and len(views) == 2:
                partners[group[0].path], partners[group[1].path] = group[1], group[0]

    alone: dict[str, list[ViewName]] = defaultdict(list)
    for each in found:
        if each.single and each.path not in partners:
            alone[each.single.study].append(each.single.view)
    done: set[Path] = set()
    for each in found:
        if each.path in done:
            continue
        partner = partners.get(each.path)
        if partner is None or each.single is None:
            doubtful = each.single is not None and is_outnumbering(each.single.view, alone[each.single.study])
            yield ScanSource((each.path,), each.result, (SAME_VIEW,) if doubtful else ())
            continue
        done.add(partner.path)
        pair = (each.path, partner.path)
        yield ScanSource(pair if each.single.view is ViewName.ANTERIOR else pair[::-1], each.result)


def _read(path: Path) -> Scan:
    return read_raster(path) if _is_raster(path) else read_nuclear_medicine(path)


def _is_raster(path: Path) -> bool:
    """Whether a file is a picture rather than DICOM, by its first bytes; a `Refusal` if it is neither."""
    start = read_start(path)
    # A DICOM file may begin like a TIFF one; it is read as DICOM, which says more.
    if looks_like_dicom(start) or is_encrypted(start):
        return False
    if not looks_like_raster(start):
        raise NotAPlanarScan(path, "The file is neither DICOM, PNG nor TIFF.")
    return True


def _join(anterior: Scan, posterior: Scan) -> Scan:
    """One scan of two single views."""
    facts = {**posterior.acquisition, **anterior.acquisition}
    totals = [scan.acquisition.get("counts_accumulated") for scan in (anterior, posterior)]
    if all(isinstance(total, int) for total in totals):
        facts["counts_accumulated"] = sum(total for total in totals if isinstance(total, int))
    return replace(
        anterior,
        counts=np.concatenate((anterior.counts, posterior.counts)),
        views=anterior.views + posterior.views,
        acquisition=facts,
        sources=anterior.sources + posterior.sources,
        source_sha256=_joint_sha256([anterior.source_sha256, posterior.source_sha256]),
        warnings=tuple(dict.fromkeys(anterior.warnings + posterior.warnings)),
    )


def _joint_sha256(hashes: list[str]) -> str:
    """The hash of a scan of one file or of two."""
    return hashes[0] if len(hashes) == 1 else sha256("".join(hashes).encode())
