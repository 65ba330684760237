"""`bonescint store export`: masks out of a label store."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically
from napari_bonescint.commands import argument_types
from napari_bonescint.commands.store_import import sources_of
from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.mask_table import MaskRow, mask_table
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.revision import OriginKind
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.masks.dicom_seg import Author
from napari_bonescint.formats.masks.registry import WRITERS, MaskOfScan
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from napari_bonescint.corrections.store.revision import Revision

_EXPORT_DESCRIPTION = """\
Write the last revision of each case into DIR, named by the keys of the cases: KEY.regions.tif (tiff),
KEY.anterior.nii.gz and KEY.posterior.nii.gz (nifti), KEY.seg.dcm (seg) or KEY.preview.png (png). DICOM SEG needs the
files that the scans were added from, since the store keeps no identity; they are matched by hash. Files that are there
already are replaced. With --table, a CSV file names each case, its mask and, on the computer that has it, its source;
`bonescint store import --table` reads it.
"""
_EXPORT_EXAMPLES = """bonescint store export labels --out masks
  bonescint store export labels --out masks --format seg --source exports/
  bonescint store export labels --out masks --table masks.csv --source exports/"""


class NoSuchCase(BonescintError):
    """A case that was named and is not in the store."""


def add_to(action: Callable[..., argparse.ArgumentParser]) -> None:
    """State the action.

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
        help="files that the scans were added from, or folders of them; for DICOM SEG and for --table",
    )
    exporting.add_argument("--case", metavar="KEY", nargs="+", help="only these cases (default: all)")
    exporting.add_argument(
        "--table",
        metavar="FILE",
        type=Path,
        help="write a CSV table, too, with each case, mask, annotator and, where --source has it, source file",
    )


def export(arguments: argparse.Namespace) -> int:
    """Write the masks of a store; the exit status."""
    store = LabelStore.open(arguments.store)
    there = list(store.keys())
    cases: Sequence[str] = arguments.case or there
    sources = sources_of(store, arguments.source)
    outcomes: Counter[str] = Counter()
    rows: list[MaskRow] = []
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
            paths = WRITERS[arguments.format](arguments.out / case, mask)
            print(*paths, sep="\n")
            rows.append(_row(case, sources.get(case, ()), paths, revisions[-1]))
            outcomes["written"] += 1
        except (NoSuchCase, SourceMissing, Refusal, Damaged) as error:
            outcomes["failed"] += 1
            print(f"error: {sentence_of(error)}", file=sys.stderr)
    if arguments.table is not None:
        write_bytes_atomically(arguments.table, mask_table(rows, arguments.table.parent))
        print(arguments.table)
    print(f"{outcomes['written']} written, {outcomes['without']} without a revision, {outcomes['failed']} failed.")
    return 1 if outcomes["failed"] else 0


def _row(case: str, sources: tuple[Path, ...], masks: Sequence[Path], last: Revision) -> MaskRow:
    return MaskRow(case, sources, tuple(masks), last.annotator, last.reviewed, str(last.number), last.when)


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
