"""`bonescint store export`: write the masks of a label store to files."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.store.import_masks import sources_of
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.mask_table import MaskRow, mask_table
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import OriginKind
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import make_folder, write_bytes_atomically
from napari_bonescint.formats.dicom.source_views import SourceMissing
from napari_bonescint.formats.masks.dicom_seg import Author
from napari_bonescint.formats.masks.registry import WRITERS, MaskOfScan
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from napari_bonescint.corrections.store.records.revision import Revision

_DESCRIPTION = """\
Write the last revision of each case into DIR. Files are named by the key of the case: KEY.regions.tif (tiff),
KEY.anterior.nii.gz and KEY.posterior.nii.gz (nifti), KEY.seg.dcm (seg) or KEY.preview.png (png). Existing files are
replaced. DICOM SEG needs --source, the files that the scans were added from, because the store keeps no identity; they
are matched by hash. --table also writes a CSV file with each case, its mask and its source, for
`bonescint store import --table`.
"""
_EXAMPLES = """bonescint store export labels --out masks
  bonescint store export labels --out masks --format seg --source exports/
  bonescint store export labels --out masks --table masks.csv --source exports/"""


class NoSuchCase(BonescintError):
    """The store has no case with this key."""


def add_to(actions: Any) -> None:
    """Add the action `export` to `bonescint store`."""
    parser = argument_types.add_store_action(actions, export, "export", "write masks to files", _EXAMPLES, _DESCRIPTION)
    argument_types.add_out_to(parser, "folder for the files")
    parser.add_argument(
        "--format", choices=list(WRITERS), default="tiff", help="format of the files (default: %(default)s)"
    )
    sources = "files or folders that the scans were added from; for DICOM SEG and for --table"
    argument_types.add_paths_to(parser, "--source", sources, "FILE")
    parser.add_argument("--case", metavar="KEY", nargs="+", help="only these cases (default: all)")
    parser.add_argument(
        "--table",
        metavar="FILE",
        type=Path,
        help="also write a CSV table of case, mask, annotator and, if --source has it, source file",
    )


def export(arguments: argparse.Namespace) -> int:
    """Write the masks of a store; returns the exit status."""
    store = LabelStore.open(arguments.store)
    keys = list(store.keys())
    sources = sources_of(store, arguments.source)
    outcomes: Counter[str] = Counter()
    rows: list[MaskRow] = []
    make_folder(arguments.out)
    for case in arguments.case or keys:
        try:
            if case not in keys:
                raise NoSuchCase(f"{case}: {store.folder} has no such case; `bonescint store list` prints the keys.")
            found = store.all_revisions(case)
            if found.later_damage:
                raise Damaged(found.later_damage)
            if not found.intact:
                outcomes["without"] += 1
                continue
            mask = _mask(store, case, found.intact, sources.get(case, ()))
            if arguments.format == "seg" and not mask.scan.sources:
                raise SourceMissing(f"{case}: the file that it was added from is not among the --source files.")
            paths = WRITERS[arguments.format](arguments.out / case, mask)
            print(*paths, sep="\n")
            rows.append(_row(case, sources.get(case, ()), paths, found.intact[-1]))
            outcomes["written"] += 1
        except (NoSuchCase, SourceMissing, Refusal, Damaged) as error:
            outcomes["failed"] += 1
            print_error(f"error: {sentence_of(error)}")
    if arguments.table is not None:
        write_bytes_atomically(arguments.table, mask_table(rows, arguments.table.parent))
        print(arguments.table)
    print(f"{outcomes['written']} written, {outcomes['without']} without a revision, {outcomes['failed']} failed.")
    return 1 if outcomes["failed"] else 0


def _row(case: str, sources: tuple[Path, ...], masks: Sequence[Path], last: Revision) -> MaskRow:
    return MaskRow(case, sources, tuple(masks), last.annotator, last.reviewed, str(last.number), last.when)


def _mask(store: LabelStore, case: str, revisions: Sequence[Revision], sources: tuple[Path, ...]) -> MaskOfScan:
    last = revisions[-1]
    scan = replace(store.scan(case), sources=sources)
    return MaskOfScan(scan, store.regions(case, last.number), last.names_regions, _author(revisions))


def _author(revisions: Sequence[Revision]) -> Author:
    """The model that the last revision began with, if any; people corrected it."""
    by_number = {revision.number: revision for revision in revisions}
    origin = revisions[-1].origin
    while origin.kind is OriginKind.REVISION and origin.revision in by_number:
        origin = by_number[origin.revision].origin
    return Author(origin.model, corrected=True)
