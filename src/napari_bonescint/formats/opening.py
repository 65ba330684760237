"""Open scans of any supported format, from files and folders."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

import numpy as np

from napari_bonescint.formats.dicom.header import is_encrypted, looks_like_dicom
from napari_bonescint.formats.dicom.nuclear_medicine import read_nuclear_medicine, read_planar_header
from napari_bonescint.formats.pictures.raster import looks_like_raster, read_raster
from napari_bonescint.formats.safe_reading.guarded import refusing
from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.source_file import read_start, read_whole, sha256
from napari_bonescint.scan import SAME_VIEW, Scan, Spacing, ViewName, ViewSource, exceeds_opposite, file_stem
from napari_bonescint.scan_edits import flip, name_views, split_side_by_side, with_spacing

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence


def open_scan(
    path: Path,
    *,
    view: ViewName | None = None,
    spacing: Spacing | None = None,
    split_sides: bool = False,
    flip_posterior: bool = False,
) -> Scan:
    """Read one file of any supported format, and apply the user's corrections.

    Parameters
    ----------
    path : Path
        DICOM, PNG or TIFF, recognised by content.
    view : ViewName, optional
        The view, or the first of two views; it overrules the file.
    spacing : (float, float), optional
        Pixel spacing (y, x) in mm, for a file that gives none.
    split_sides : bool
        Whether to split one image into an anterior (left) and a posterior view (right).
    flip_posterior : bool
        Whether to mirror the posterior view.

    Raises
    ------
    Refusal
        If the file cannot be read as a scan.
    CannotRearrange
        If the scan does not allow one of the corrections.
    """
    source = _source_of(path)
    return source.open(view=view, spacing=spacing, split_sides=split_sides, flip_posterior=flip_posterior)


class ScanOverrides(TypedDict, total=False):
    """A user's corrections of a scan: the keywords of `open_scan`."""

    view: ViewName | None
    spacing: Spacing | None
    split_sides: bool
    flip_posterior: bool


@dataclass(frozen=True, slots=True)
class ScanSource:
    """One scan that can be opened: a file, or two files of one study with one view each.

    Attributes
    ----------
    paths : tuple of Path
        One file, or the anterior and the posterior one.
    result : Path
        Path of results below an output folder, without extension. It is the stem of the file (of two files, the first
        one found), in the same subfolders as the file has below the user's folder.
    warnings : tuple of str
        Sentences about the view that the file names, or that is assumed, if the other files make it doubtful.
    """

    paths: tuple[Path, ...]
    result: Path
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The files as the user named them."""
        return " + ".join(str(path) for path in self.paths)

    def open(self, **overrides: Unpack[ScanOverrides]) -> Scan:
        """Read the scan; `open_scan` describes the keywords and errors."""
        view, spacing, split = overrides.get("view"), overrides.get("spacing"), overrides.get("split_sides")
        with refusing(self.paths[0]):
            scans = [_read(path) for path in self.paths]
            scan = scans[0] if len(scans) == 1 else _join(*scans)
            scan = scan if view or split else replace(scan, warnings=(*scan.warnings, *self.warnings))
            # An image is split before its views are named: side by side it shows both.
            scan = split_side_by_side(scan) if split else scan
            scan = name_views(scan, view) if view is not None else scan
            scan = with_spacing(scan, spacing) if spacing is not None else scan
            return flip(scan, ViewName.POSTERIOR) if overrides.get("flip_posterior") else scan

    def source_sha256(self) -> str:
        """The scan's `source_sha256`, computed without decoding the scan; an unreadable file is a `Refusal`."""
        return _joint_sha256([sha256(read_whole(path)) for path in self.paths])


@dataclass(frozen=True)
class Collection:
    """Scans found among files and folders.

    Attributes
    ----------
    sources : tuple of ScanSource
        Scans in the order in which they were named or found.
    failures : tuple of Refusal
        Unreadable files that the user named, folders without a scan, and broken scans in folders.
    skipped : mapping of str to int
        Number of files in folders that are no planar bone scans, by reason.
    """

    sources: tuple[ScanSource, ...]
    failures: tuple[Refusal, ...]
    skipped: Mapping[str, int]


def collect(inputs: Iterable[Path]) -> Collection:
    """Find the scans among files and folders without decoding pixels.

    Parameters
    ----------
    inputs : iterable of Path
        DICOM, PNG and TIFF files, and folders that are searched for DICOM files at any depth. A file found twice is
        listed once.

    Returns
    -------
    Collection
        Two files of one study with one view each, anterior and posterior, of the same size and spacing, make one
        source. If several files show the same view, each gets a warning, since one may be the other view. Only a few
        facts of each file are kept in memory, so thousands of files are possible.
    """
    found: dict[str, _Found] = {}
    failures: list[Refusal] = []
    skipped: Counter[str] = Counter()
    for given in inputs:
        if _is_folder(given):
            _search_folder(given, found, failures, skipped)
            continue
        try:
            # Read even if it was found before: a file that the user named is reported whenever it is unreadable.
            scan = _inspect(given)
            found.setdefault(os.path.realpath(given), scan)
        except Refusal as failure:
            failures.append(failure)
    return Collection(tuple(_pair(list(found.values()))), tuple(failures), skipped)


def collect_to_open(inputs: Sequence[Path]) -> Collection:
    """As `collect`, for scans that are opened at once: a file alone is not read before, since it has no partner."""
    if len(inputs) == 1 and not _is_folder(inputs[0]):
        return Collection((_source_of(inputs[0]),), (), {})
    return collect(inputs)


class _Single(NamedTuple):
    """The properties that two single-view files must share to make one scan; UIDs are only compared."""

    view: ViewName
    study: str
    series: str
    properties: Hashable
    may_have_partner: bool
    """True if the other view should be searched for: only if the file names its view, and is no spot view."""


class _Found(NamedTuple):
    path: Path
    result: Path
    single: _Single | None = None


def _source_of(path: Path) -> ScanSource:
    return ScanSource((path,), Path(file_stem(path)))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # access denied; reading the file raises the refusal
        return False


_LABEL_STORE = {"store.json", "cases"}
"""Marks the folder of a label store."""


def _search_folder(folder: Path, found: dict[str, _Found], failures: list[Refusal], skipped: Counter[str]) -> None:
    """Add the scans in a folder and its subfolders to `found`."""

    def report(error: OSError) -> None:
        failures.append(Refusal(Path(error.filename), f"The folder could not be read ({error.strerror})."))

    failed = len(failures)
    scans = 0
    for parent, folders, names in os.walk(folder, onerror=report):
        if {*names, *folders} >= _LABEL_STORE:
            folders.clear()  # a store inside the folder holds no files of the user's
            continue
        folders.sort()
        for name in sorted(names):
            path = Path(parent, name)
            file = os.path.realpath(path)
            try:
                if file not in found:
                    found[file] = _inspect_dicom(path, path.relative_to(folder).parent / file_stem(path))
                scans += 1
            except NotAPlanarScan as no_scan:
                skipped[no_scan.reason] += 1
            except Refusal as failure:
                failures.append(failure)
    if not scans and len(failures) == failed:
        failures.append(NotAPlanarScan(folder, "The folder holds no planar bone scan."))


def _inspect(path: Path) -> _Found:
    result = Path(file_stem(path))
    return _Found(path, result) if _is_raster(path) else _inspect_dicom(path, result)


def _inspect_dicom(path: Path, result: Path) -> _Found:
    header = read_planar_header(path)
    single = None
    views = list(header.views.values())
    if len(views) == 1 and header.study and header.may_show_whole_body:
        properties = (header.size, header.spacing, header.planar_type)
        # Two STATIC spot views of one study may show chest and pelvis.
        may_have_partner = views[0].source is ViewSource.FILE and header.planar_type != "STATIC"
        single = _Single(views[0].name, header.study, header.series, properties, may_have_partner)
    return _Found(path, result, single)


def _pair(found: list[_Found]) -> Iterator[ScanSource]:
    """Make a `ScanSource` of each file, or of two files of one scan, in the order of the first files."""
    partners: dict[Path, _Found] = {}
    # Pairs within one series come first: a study may hold an early and a late pair.
    for same_series in (True, False):
        groups: dict[Hashable, list[_Found]] = defaultdict(list)
        for each in found:
            if each.single and each.single.may_have_partner and each.path not in partners:
                series = each.single.series if same_series else ""
                groups[each.single.study, series, each.single.properties].append(each)
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
            doubtful = each.single is not None and exceeds_opposite(each.single.view, alone[each.single.study])
            yield ScanSource((each.path,), each.result, (SAME_VIEW,) if doubtful else ())
            continue
        done.add(partner.path)
        pair = (each.path, partner.path)
        yield ScanSource(pair if each.single.view is ViewName.ANTERIOR else pair[::-1], each.result)


def _read(path: Path) -> Scan:
    return read_raster(path) if _is_raster(path) else read_nuclear_medicine(path)


def _is_raster(path: Path) -> bool:
    """True for a PNG or TIFF file, false for DICOM, by the first bytes; any other file is a `Refusal`."""
    start = read_start(path)
    # A file may begin like TIFF and DICOM; it is read as DICOM, which holds more facts.
    if looks_like_dicom(start) or is_encrypted(start):
        return False
    if not looks_like_raster(start):
        raise NotAPlanarScan(path, "The file is neither DICOM, PNG nor TIFF.")
    return True


def _join(anterior: Scan, posterior: Scan) -> Scan:
    """Make one scan of an anterior and a posterior one."""
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
    """The hash of a scan that was read from one or two files."""
    return hashes[0] if len(hashes) == 1 else sha256("".join(hashes).encode())
