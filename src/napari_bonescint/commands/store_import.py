"""`bonescint store import`: masks made elsewhere into a label store, one or many."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tqdm import tqdm

from napari_bonescint.atomic import CannotWrite
from napari_bonescint.commands.store_add import complain
from napari_bonescint.corrections.mask_checks import doubts_about_mask
from napari_bonescint.corrections.mask_table import read_mask_table
from napari_bonescint.corrections.mask_validation import fault_in
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.plane_files import planes_sha256
from napari_bonescint.corrections.store.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import looks_like_dicom, read_header
from napari_bonescint.formats.masks.dicom_seg_reader import referenced_images
from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.masks.region_mapping import read_region_mapping
from napari_bonescint.formats.masks.registry import looks_like_mask, read_mask
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.formats.safe_reading.source_file import read_start
from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.text import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from napari_bonescint.corrections.store.revision import Revision
    from napari_bonescint.formats.masks.mask import Mask
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import Scan

_DESCRIPTION = """\
Save masks made elsewhere as revisions of the cases that were added from --source. Masks are DICOM SEG, NIfTI, TIFF or
PNG on the scan's own pixels; give one file with all views, or one for each. Labels other than our region codes need a
mapping: a CSV file with the columns label,region, such as 1,skull or left femur,femur.

Many at once: DICOM SEG files, with a folder as --source, each go to the scan that they refer to; or give --table, a CSV
file with the columns source and mask, and if you like annotator and reviewed (yes or no). Paths are from the table's
folder; several in a cell are parted by a bar: front.png|back.png. What is there already is not saved again.

`bonescint train` learns from masks that are reviewed: say --reviewed if they are finished as they are. Such a mask is
first compared with what the model in use sees. One that is empty, all bone, upside down, mirrored, with its views
swapped or seemingly of another patient is told, and saved without counting as reviewed.
"""
_EXAMPLES = """bonescint store import labels scan.seg.dcm --source scan.dcm --annotator Ada
  bonescint store import labels front.png back.png --source scan.dcm --annotator Ada --mapping regions.csv
  bonescint store import labels segs/*.dcm --source exports/ --annotator Ada --reviewed
  bonescint store import labels --table masks.csv --annotator Ada --reviewed"""


class ImportRefused(BonescintError):
    """A mask that cannot be imported as asked."""


class _ImportJob(NamedTuple):
    """The mask of one scan, to be saved."""

    name: str
    case: str
    sources: tuple[Path, ...]
    masks: tuple[Path, ...]
    annotator: str
    reviewed: bool


def add_to(action: Callable[..., argparse.ArgumentParser]) -> None:
    """State the action.

    Parameters
    ----------
    action : callable
        States an action of `bonescint store`, given its name, what runs it, its summary, examples and description.
    """
    importing = action("import", import_masks, "save masks from elsewhere as revisions", _EXAMPLES, _DESCRIPTION)
    importing.add_argument("masks", metavar="MASK", nargs="*", type=Path, help="files of the mask of one scan, or SEGs")
    importing.add_argument(
        "--source",
        metavar="FILE",
        nargs="+",
        type=Path,
        default=[],
        help="file that the scan was added from, or two; for DICOM SEG, any number of files and folders",
    )
    importing.add_argument("--table", metavar="FILE", type=Path, help="CSV table of masks and their sources")
    importing.add_argument("--annotator", metavar="NAME", default="", help="who made the masks")
    importing.add_argument("--mapping", metavar="CSV", type=Path, help="what the labels of the masks mean")
    importing.add_argument(
        "--reviewed", action="store_true", help="the annotator calls the masks finished, so that they are trained on"
    )
    importing.add_argument(
        "--unchecked", action="store_true", help="count masks as reviewed, whatever the model in use sees"
    )


def import_masks(arguments: argparse.Namespace) -> int:
    """Save masks as revisions; the exit status."""
    store = LabelStore.open(arguments.store)
    mapping = None if arguments.mapping is None else read_region_mapping(arguments.mapping)
    jobs = _jobs_of_table(store, arguments) if arguments.table is not None else _jobs_of_files(store, arguments)
    check = _Check(unchecked=arguments.unchecked)
    failed = doubted = 0
    for job in tqdm(jobs, disable=None, leave=False, unit="mask", file=sys.stderr):
        try:
            if not job.case:
                raise ImportRefused("is of no scan that is in the store and among the sources; add the scan first.")
            scan = replace(store.scan(job.case), sources=job.sources)
            mask = lay_on(scan, [read_mask(path, mapping, scan) for path in job.masks])
            doubts = check.doubts(scan, mask) if job.reviewed else []
            _print(_save(store, job, mask, reviewed=job.reviewed and not doubts))
        except CannotWrite:
            raise
        except BonescintError as error:
            failed += 1
            # A refusal names its file already.
            where = "" if isinstance(error, Refusal) else f"{job.name}: "
            complain(f"error: {where}{sentence_of(error)}")
            continue
        doubted += bool(doubts)
        for doubt in doubts:
            complain(
                f"warning: {job.name}: The mask {doubt.rstrip('.')}; it was not saved as reviewed. Look at it in the "
                "panel Correct masks, or, if it is right, give the command again with --unchecked."
            )
    if len(jobs) > 1:
        print(f"{counted(len(jobs), 'mask')}: {failed} failed, {doubted} not counted as reviewed.")
    return 1 if failed else 0


class _Check:
    """Compares masks with what the model in use sees; the model is loaded with the first."""

    def __init__(self, *, unchecked: bool) -> None:
        self._unchecked = unchecked
        self._segmenter: Segmenter | None = None

    def doubts(self, scan: Scan, mask: Mask) -> list[str]:
        """What speaks against a mask, as what follows "the mask" in a sentence."""
        if self._unchecked:
            return []
        if fault := fault_in(scan.views, mask.regions, names_regions=mask.names_regions):
            return [fault]
        if self._segmenter is None:
            from napari_bonescint.inference.segmenter import Segmenter

            self._segmenter = Segmenter(current_model(), "auto")
        seen = self._segmenter.segment(scan)
        return doubts_about_mask(scan.views, mask.regions, seen, names_regions=mask.names_regions)


def _save(store: LabelStore, job: _ImportJob, mask: Mask, *, reviewed: bool) -> str:
    """Save a mask, unless it is there, and say so."""
    if not job.annotator:
        raise ImportRefused("Nobody is named as annotator; give --annotator, or a column annotator.")
    last = next(iter(reversed(store.revisions(job.case))), None)
    if last is not None and _is_same(last, job, mask, reviewed=reviewed):
        return f"Revision {last.number} of case {job.case} is this mask already."
    revision = store.save(
        job.case,
        mask.regions,
        Origin.imported(),
        annotator=job.annotator,
        reviewed=reviewed,
        names_regions=mask.names_regions,
    )
    kind = "reviewed revision" if revision.reviewed else "revision"
    return f"Saved as {kind} {revision.number} of case {job.case}."


def _is_same(last: Revision, job: _ImportJob, mask: Mask, *, reviewed: bool) -> bool:
    kept = last.mask_sha256, last.names_regions, last.annotator, last.reviewed
    return kept == (planes_sha256(mask.regions), mask.names_regions, job.annotator.strip(), reviewed)


def _jobs_of_table(store: LabelStore, arguments: argparse.Namespace) -> list[_ImportJob]:
    """The masks of a table; rows whose scan is not in the store are told."""
    if arguments.masks or arguments.source:
        raise ImportRefused("--table names masks and sources; leave out those on the command line.")
    jobs = []
    for row in read_mask_table(arguments.table):
        reviewed = arguments.reviewed if row.reviewed is None else row.reviewed
        name = " + ".join(str(path) for path in row.masks)
        case = row.case or _case_of(store, row.sources) or ""
        jobs.append(_ImportJob(name, case, row.sources, row.masks, row.annotator or arguments.annotator, reviewed))
    return jobs


def _jobs_of_files(store: LabelStore, arguments: argparse.Namespace) -> list[_ImportJob]:
    """The mask of the one scan that is named, or the segmentations of several."""
    if not arguments.masks or not arguments.source:
        raise ImportRefused("Name masks and their --source, or give --table.")
    found = sources_of(store, arguments.source)
    named = " + ".join(str(path) for path in arguments.source)
    if not found:
        raise ImportRefused(f"{named}: is the source of no case; add it first, by `bonescint store add`.")
    said = arguments.annotator, arguments.reviewed
    if len(found) == 1:
        ((case, paths),) = found.items()
        return [_ImportJob(" + ".join(map(str, arguments.masks)), case, paths, tuple(arguments.masks), *said)]
    if not all(looks_like_mask(path) and looks_like_dicom(read_start(path)) for path in arguments.masks):
        raise ImportRefused(
            f"{named}: is several scans; only DICOM SEG tells which one a mask is of, so name one source, or give "
            "--table."
        )
    case_of = {_instance(path): case for case, paths in found.items() for path in paths}
    masks_of: dict[str, list[Path]] = defaultdict(list)
    strays: list[Path] = []
    for path in arguments.masks:
        cases = {case_of[instance] for instance in referenced_images(path) if instance in case_of}
        if len(cases) == 1:
            masks_of[cases.pop()].append(path)
        else:
            strays.append(path)
    jobs = [
        _ImportJob(" + ".join(map(str, masks)), case, found[case], tuple(masks), *said)
        for case, masks in masks_of.items()
    ]
    return jobs + [_ImportJob(str(path), "", (), (path,), *said) for path in strays]


def sources_of(store: LabelStore, given: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """The files of those cases that were made from the files given, and complaints about files that cannot be read."""
    collection = collect(given)
    failures = list(collection.failures)
    found: dict[str, tuple[Path, ...]] = {}
    for source in collection.sources:
        try:
            case = store.find_file(source.source_sha256())
        except Refusal as error:
            failures.append(error)
            continue
        if case is not None:
            found[case] = source.paths
    for failure in failures:
        complain(f"error: {sentence_of(failure)}")
    return found


def _case_of(store: LabelStore, paths: Iterable[Path]) -> str | None:
    """The case that was made from files; None if there is none, or it cannot be told."""
    found = sources_of(store, paths)
    return next(iter(found)) if len(found) == 1 else None


def _instance(path: Path) -> str:
    """SOP Instance UID of a scan's file; empty for a picture."""
    return read_header(path).text("SOPInstanceUID") if looks_like_dicom(read_start(path)) else ""


def _print(line: str) -> None:
    with tqdm.external_write_mode(sys.stdout):
        print(line, flush=True)
