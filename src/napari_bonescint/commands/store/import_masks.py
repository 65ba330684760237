"""`bonescint store import`: save masks from elsewhere in a label store."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm import tqdm

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.terminal import print_error, print_line
from napari_bonescint.corrections.mask_checks import doubts_about_mask
from napari_bonescint.corrections.mask_table import read_mask_table
from napari_bonescint.corrections.mask_validation import fault_in
from napari_bonescint.corrections.store.files.plane_files import planes_sha256
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import CannotWrite
from napari_bonescint.formats.dicom.header import looks_like_dicom, read_header
from napari_bonescint.formats.masks.dicom_seg_reader import referenced_images
from napari_bonescint.formats.masks.mask import lay_on
from napari_bonescint.formats.masks.region_mapping import read_region_mapping
from napari_bonescint.formats.masks.registry import looks_like_mask, read_mask
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.formats.safe_reading.source_file import read_start
from napari_bonescint.inference.model_registry import current_model
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from napari_bonescint.corrections.store.records.revision import Revision
    from napari_bonescint.formats.masks.mask import Mask
    from napari_bonescint.inference.segmenter import Segmenter
    from napari_bonescint.scan import Scan

_DESCRIPTION = """\
Save masks from elsewhere as revisions of the cases that were added from --source. A mask is a DICOM SEG, NIfTI, TIFF or
PNG file with the same pixels as the scan: one file with all views, or one for each view. Other labels than our region
codes need --mapping, a CSV file with the columns label,region, such as 1,skull or left femur,femur.

Many masks at once: DICOM SEG files name their scans, so give them with a folder as --source. For other files give
--table, a CSV file with the columns source and mask, and optionally annotator and reviewed (yes or no). Paths start at
the table's folder; a bar separates several in one cell: front.png|back.png. A mask that is saved already is skipped.

`bonescint train` learns from reviewed masks: give --reviewed if the masks are finished. Each reviewed mask is compared
with the mask of the model in use. A mask that is empty, all bone, upside down, mirrored, has its views swapped or seems
to be of another patient is reported, and saved as not reviewed.
"""
_EXAMPLES = """bonescint store import labels scan.seg.dcm --source scan.dcm --annotator Ada
  bonescint store import labels front.png back.png --source scan.dcm --annotator Ada --mapping regions.csv
  bonescint store import labels segs/*.dcm --source exports/ --annotator Ada --reviewed
  bonescint store import labels --table masks.csv --annotator Ada --reviewed"""


class ImportRefused(BonescintError):
    """A mask cannot be imported."""


class _ImportJob(NamedTuple):
    name: str
    case: str
    sources: tuple[Path, ...]
    masks: tuple[Path, ...]
    annotator: str
    reviewed: bool


def add_to(actions: Any) -> None:
    """Add the action `import` to `bonescint store`."""
    summary = "save masks from elsewhere as revisions"
    parser = argument_types.add_store_action(actions, import_masks, "import", summary, _EXAMPLES, _DESCRIPTION)
    parser.add_argument("masks", metavar="MASK", nargs="*", type=Path, help="files of the mask of one scan, or SEGs")
    sources = "the one or two files that the scan was added from; for DICOM SEG, any number of files and folders"
    argument_types.add_paths_to(parser, "--source", sources, "FILE")
    parser.add_argument("--table", metavar="FILE", type=Path, help="CSV table of masks and their sources")
    parser.add_argument("--annotator", metavar="NAME", default="", help="who made the masks")
    parser.add_argument("--mapping", metavar="CSV", type=Path, help="CSV table of labels and their regions")
    parser.add_argument("--reviewed", action="store_true", help="the masks are finished and may be trained on")
    unchecked = "save masks as reviewed without comparing them with the model"
    parser.add_argument("--unchecked", action="store_true", help=unchecked)


def import_masks(arguments: argparse.Namespace) -> int:
    """Save masks as revisions; returns the exit status."""
    store = LabelStore.open(arguments.store)
    mapping = None if arguments.mapping is None else read_region_mapping(arguments.mapping)
    jobs = _jobs_of_table(store, arguments) if arguments.table is not None else _jobs_of_files(store, arguments)
    check = _Check(unchecked=arguments.unchecked)
    failed = doubted = 0
    for job in tqdm(jobs, disable=None, leave=False, unit="mask", file=sys.stderr):
        try:
            if not job.case:
                raise ImportRefused("its scan is not in the store or not among the sources; add the scan first.")
            scan = replace(store.scan(job.case), sources=job.sources)
            mask = lay_on(scan, [read_mask(path, mapping, scan) for path in job.masks])
            doubts = check.doubts(scan, mask) if job.reviewed else []
            print_line(_save(store, job, mask, reviewed=job.reviewed and not doubts))
        except CannotWrite:
            raise
        except BonescintError as error:
            failed += 1
            # A Refusal begins with its file.
            where = "" if isinstance(error, Refusal) else f"{job.name}: "
            print_error(f"error: {where}{sentence_of(error)}")
            continue
        doubted += bool(doubts)
        for doubt in doubts:
            print_error(
                f"warning: {job.name}: The mask {doubt.rstrip('.')}; it was not saved as reviewed. Look at it in the "
                "panel Correct masks, or, if it is right, give the command again with --unchecked."
            )
    if len(jobs) > 1:
        print(f"{counted(len(jobs), 'mask')}: {failed} failed, {doubted} not counted as reviewed.")
    return 1 if failed else 0


class _Check:
    """Compares masks with those of the model in use; the model is loaded for the first mask."""

    def __init__(self, *, unchecked: bool) -> None:
        self._unchecked = unchecked
        self._segmenter: Segmenter | None = None

    def doubts(self, scan: Scan, mask: Mask) -> list[str]:
        """Faults of a mask; each completes a sentence that begins with "The mask"."""
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
    """Save a mask unless it is saved already; returns a sentence for the user."""
    if not job.annotator:
        raise ImportRefused("The annotator is missing; give --annotator, or a column annotator in the table.")
    last = next(iter(reversed(store.revisions(job.case))), None)
    if last is not None and _is_same(last, job, mask, reviewed=reviewed):
        return f"Skipped: revision {last.number} of case {job.case} already is this mask."
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
    """A job for each row of a table; its case is empty if the scan is not in the store."""
    if arguments.masks or arguments.source:
        raise ImportRefused("--table names the masks and sources; leave out those on the command line.")
    jobs = []
    for row in read_mask_table(arguments.table):
        reviewed = arguments.reviewed if row.reviewed is None else row.reviewed
        name = " + ".join(str(path) for path in row.masks)
        case = row.case or _case_of(store, row.sources) or ""
        jobs.append(_ImportJob(name, case, row.sources, row.masks, row.annotator or arguments.annotator, reviewed))
    return jobs


def _jobs_of_files(store: LabelStore, arguments: argparse.Namespace) -> list[_ImportJob]:
    """One job for the mask of a single scan, or a job for each scan of several DICOM SEG files."""
    if not arguments.masks or not arguments.source:
        raise ImportRefused("Give masks and their --source, or --table.")
    found = sources_of(store, arguments.source)
    named = " + ".join(str(path) for path in arguments.source)
    if not found:
        raise ImportRefused(f"{named}: no case was added from this; add it first with `bonescint store add`.")
    facts = arguments.annotator, arguments.reviewed
    if len(found) == 1:
        ((case, paths),) = found.items()
        return [_ImportJob(" + ".join(map(str, arguments.masks)), case, paths, tuple(arguments.masks), *facts)]
    if not all(looks_like_mask(path) and looks_like_dicom(read_start(path)) for path in arguments.masks):
        raise ImportRefused(
            f"{named}: has several scans, and only DICOM SEG names the scan of a mask; give one source, or --table."
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
        _ImportJob(" + ".join(map(str, masks)), case, found[case], tuple(masks), *facts)
        for case, masks in masks_of.items()
    ]
    return jobs + [_ImportJob(str(path), "", (), (path,), *facts) for path in strays]


def sources_of(store: LabelStore, given: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """The cases that were added from some files, each with its files; prints an error for each unreadable file."""
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
        print_error(f"error: {sentence_of(failure)}")
    return found


def _case_of(store: LabelStore, paths: Iterable[Path]) -> str | None:
    """The case that was added from some files; None if there is none or more than one."""
    found = sources_of(store, paths)
    return next(iter(found)) if len(found) == 1 else None


def _instance(path: Path) -> str:
    """SOP Instance UID of a scan's file; empty for a picture."""
    return read_header(path).text("SOPInstanceUID") if looks_like_dicom(read_start(path)) else ""
