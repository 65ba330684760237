"""`bonescint store merge`: copy one label store into another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.terminal import print_error, progress_bar
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.merging import Clue, Person, merge
from napari_bonescint.corrections.store.patient_table import read_patient_table
from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from napari_bonescint.corrections.store.patient_table import PatientTable

_DESCRIPTION = """\
Copy all cases and revisions of OTHER into STORE; OTHER stays as it is. STORE keeps the secrets of both stores, so a new
scan is recognised with either. Every patient keeps the role of judging, validating or training. A patient of both
stores gets the more exposed role: nobody who was trained on is judged.

The keys of one store have no meaning in the other. A patient of both stores is recognised by a scan that both hold, by
the files that the scans were added from (--source), or by a table (--patients, as for `bonescint store add`). The
command prints how many patients remain unclear; merge again with more files or a table to recognise them.
"""
_EXAMPLES = """bonescint store merge labels labels-of-ward-7 --source exports/
  bonescint store merge labels labels-of-ward-7 --patients who.csv"""


def add_to(actions: Any) -> None:
    """Add the action `merge` to `bonescint store`."""
    summary = "copy another store into this one"
    parser = argument_types.add_store_action(actions, merge_stores, "merge", summary, _EXAMPLES, _DESCRIPTION)
    parser.add_argument("other", metavar="OTHER", type=Path, help="folder of the store to copy")
    sources = "files or folders that the scans of either store were added from"
    argument_types.add_paths_to(parser, "--source", sources, "FILE")
    parser.add_argument("--patients", metavar="FILE", type=Path, help="CSV table of scans of the same patient")


def merge_stores(arguments: argparse.Namespace) -> int:
    """Merge two stores; returns the exit status."""
    store, other = LabelStore.open(arguments.store), LabelStore.open(arguments.other)
    table = None if arguments.patients is None else read_patient_table(arguments.patients)
    people = _people(arguments.source, table)
    with progress_bar("merging") as advance:
        merged = merge(store, other, people, advance)
    store.cases()  # makes the index
    for sentence in merged.damaged:
        print_error(f"error: {sentence}")
    if merged.unknown:
        print_error(
            f"warning: {counted(merged.unknown, 'patient')} of {other.folder} may already be in the store, perhaps "
            "trained on there and now judged; merge again with the files of the scans (--source) or a table of scans "
            "of the same patient (--patients)."
        )
    print(
        f"{counted(merged.copied, 'case')} copied, {merged.there} there already with "
        f"{counted(merged.revisions, 'new revision')}, {len(merged.damaged)} failed. "
        f"{counted(merged.in_both, 'patient')} in both."
    )
    return 1 if merged.damaged else 0


def _people(files: Iterable[Path], table: PatientTable | None) -> list[Person]:
    """The patients that are known from files and from a table."""
    collection = collect([*files, *(sorted(table.of_file) if table is not None else ())])
    failures = list(collection.failures)
    people: list[Person] = []
    of_word: dict[str, list[Clue]] = {} if table is None else {word: [] for word in table.patients}
    for source in collection.sources:
        try:
            clue = Clue(read_identity(source.paths[0]), source.source_sha256())
        except Refusal as error:
            failures.append(error)
            continue
        word = None if table is None else table.patient_of(clue.identity, source.paths)
        if word is None:
            people.append(Person((clue,)))
        else:
            of_word[word].append(clue)
    for failure in failures:
        print_error(f"error: {sentence_of(failure)}")
    if table is not None:
        people += [
            Person(tuple(clues), table.identities.get(word, ()), table.keys.get(word, frozenset()))
            for word, clues in of_word.items()
        ]
    return people
