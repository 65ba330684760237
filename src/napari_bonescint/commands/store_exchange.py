"""`bonescint store export` and `bonescint store import`: masks out of a label store and into it."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.atomic import CannotWrite
from napari_bonescint.commands import argument_types
from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.label_store import LabelStore
from napari_bonescint.corrections.revision import Origin, OriginKind
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom_seg import Author
from napari_bonescint.formats.mask import lay_on
from napari_bonescint.formats.masks import WRITERS, MaskOfScan, read_mask
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.refusal import Refusal, sentence_of
from napari_bonescint.formats.region_mapping import read_region_mapping
from napari_bonescint.formats.source_views import SourceMissing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence

    from napari_bonescint.corrections.revision import Revision

_EXPORT_DESCRIPTION = """\
Write the last revision of each case into DIR, named by the keys of the cases: KEY.regions.tif (tiff),
KEY.anterior.nii.gz and KEY.posterior.nii.gz (nifti), KEY.seg.dcm (seg) or KEY.preview.png (png). DICOM SEG needs the
files that the scans were added from, since the store keeps no identity; they are matched by hash. Files that are there
already are replaced.
"""
_EXPORT_EXAMPLES = """bonescint store export labels --out masks
  bonescint store export labels --out masks --format seg --source exports/"""
_IMPORT_DESCRIPTION = """\
Save masks made elsewhere as a revision of the case that was added from FILE. Masks are DICOM SEG, NIfTI, TIFF or PNG on
the scan's own pixels; give one file with all views, or one for each. Labels other than our region codes need a mapping:
a CSV file with the columns label,region, such as 1,skull or left femur,femur. `bonescint train` learns from masks that
are reviewed: say --reviewed if they are finished as they are.
"""
_IMPORT_EXAMPLES = """bonescint store import labels scan.seg.dcm --source scan.dcm --annotator Ada
  bonescint store import labels front.png back.png --source scan.dcm --annotator Ada --mapping regions.csv"""


class NoSuchCase(BonescintError):
    """A case that was named and is not in the store."""


def add_to(action: Callable[..., argparse.ArgumentParser]) -> None:
    """State the two actions.

    Parameters
    ----------
    action : callable
        States an action of `bonescint store`, given its name, what runs it, its summary, examples and description.
    """
    exporting = action("export", export, "write masks to files", _EXPORT_EXAMPLES, _EXPORT_DESCRIPTION)
    exporting.add_argument(
        "--out", metavar="DIR", type=argument_types.folder, required=True, help="folder for the files"
    )
    exporting.add_argument(
        "--format", choices=list(WRITERS), default="tiff", help="format of the files (default: %(default)s)"
    )
    exporting.add_argument(
        "--source",
        metavar="FILE",
        nargs="+",
        type=Path,
        default=[],
        help="DICOM files that the scans were added from, or folders of them; only for DICOM SEG",
    )
    exporting.add_argument("--case", metavar="KEY", nargs="+", help="only these cases (default: all)")
    importing = action(
        "import", import_masks, "save masks from elsewhere as a revision", _IMPORT_EXAMPLES, _IMPORT_DESCRIPTION
    )
    importing.add_argument("masks", metavar="MASK", nargs="+", type=Path, help="files of the mask of one scan")
    importing.add_argument(
        "--source",
        metavar="FILE",
        nargs="+",
        type=Path,
        required=True,
        help="file that the scan was added from, or two",
    )
    importing.add_argument("--annotator", metavar="NAME", required=True, help="who made the mask")
    importing.add_argument("--mapping", metavar="CSV", type=Path, help="what the labels of the mask mean")
    importing.add_argument(
        "--reviewed", action="store_true", help="the annotator calls the mask finished, so that it is trained on"
    )


def export(arguments: argparse.Namespace) -> int:
    """Write the masks of a store; the exit status."""
    store = LabelStore.open(arguments.store)
    there = list(store.keys())
    cases: Sequence[str] = arguments.case or there
    sources = _sources(store, arguments.source)
    outcomes: Counter[str] = Counter()
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{arguments.out}: cannot be written ({error.strerror or error}).") from error
    for case in cases:
        try:
            if case not in there:
                raise NoSuchCase(f"{case}: there is no such case in {store.folder}.")
            revisions, _ = found = store.all_revisions(case)
            if found.later_damage:
                raise Damaged(found.later_damage)
            if not revisions:
                outcomes["without"] += 1
                continue
            mask = _mask(store, case, revisions, sources.get(case, ()))
            if arguments.format == "seg" and not mask.scan.sources:
                raise SourceMissing(f"{case}: the file that it was added from is not among the --source files.")
            for path in WRITERS[arguments.format](arguments.out / case, mask):
                print(path)
            outcomes["written"] += 1
        except (NoSuchCase, SourceMissing, Refusal, Damaged) as error:
            outcomes["failed"] += 1
            print(f"error: {sentence_of(error)}", file=sys.stderr)
    print(f"{outcomes['written']} written, {outcomes['without']} without a revision, {outcomes['failed']} failed.")
    return 1 if outcomes["failed"] else 0


def import_masks(arguments: argparse.Namespace) -> int:
    """Save the masks of one scan as a revision; the exit status."""
    store = LabelStore.open(arguments.store)
    mapping = None if arguments.mapping is None else read_region_mapping(arguments.mapping)
    found = _sources(store, arguments.source)
    if len(found) != 1:
        named = " + ".join(str(path) for path in arguments.source)
        reason = "is the source of no case; add it first, by `bonescint store add`" if not found else "is several scans"
        raise NoSuchCase(f"{named}: {reason}.")
    ((case, paths),) = found.items()
    scan = replace(store.scan(case), sources=paths)
    mask = lay_on(scan, [read_mask(path, mapping, scan) for path in arguments.masks])
    revision = store.save(
        case,
        mask.regions,
        Origin.imported(),
        annotator=arguments.annotator,
        reviewed=arguments.reviewed,
        names_regions=mask.names_regions,
    )
    kind = "reviewed revision" if revision.reviewed else "revision"
    print(f"Saved as {kind} {revision.number} of case {case}.")
    return 0


def _sources(store: LabelStore, given: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """The files of those cases that were made from the files given, and complaints about files that cannot be read."""
    collection = collect(given)
    for failure in collection.failures:
        print(f"error: {sentence_of(failure)}", file=sys.stderr)
    found: dict[str, tuple[Path, ...]] = {}
    for source in collection.sources:
        try:
            case = store.find(source.open())
        except Refusal as error:
            print(f"error: {sentence_of(error)}", file=sys.stderr)
            continue
        if case is not None:
            found[case] = source.paths
    return found


def _mask(store: LabelStore, case: str, revisions: Sequence[Revision], sources: tuple[Path, ...]) -> MaskOfScan:
    last = revisions[-1]
    return MaskOfScan(
        replace(store.scan(case), sources=sources),
        store.regions(case, last.number),
        last.names_regions,
        _author(revisions),
    )


def _author(revisions: Sequence[Revision]) -> Author:
    """What the last revision goes back to: a model, corrected by people, or people alone."""
    by_number = {revision.number: revision for revision in revisions}
    origin = revisions[-1].origin
    while origin.kind is OriginKind.REVISION and origin.revision in by_number:
        origin = by_number[origin.revision].origin
    return Author(origin.model, corrected=True)
