"""`bonescint store merge`: one label store taken into another one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.commands.store_add import complain, progress_bar
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.merging import Clue, Person, merge
from napari_bonescint.corrections.store.patient_table import read_patient_table
from napari_bonescint.formats.dicom.identity import read_identity
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.text import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from napari_bonescint.corrections.store.merging import Merged
    from napari_bonescint.corrections.store.patient_table import PatientTable

_DESCRIPTION = """\
Take all cases and revisions of OTHER into STORE; OTHER stays as it is. STORE keeps the secrets of both, so that a new
scan is recognised under either. Every patient stays what he or she was for, judging, validating or training; who is in
both takes the part that is exposed most, so that nobody who was ever trained on is judged.

Keys of one store say nothing in the other. Who is in both is told by a scan that both hold, by the files that the scans
were added from (--source), and by a table (--patients, as for `bonescint store add`). Of whom it cannot be told, is
said; merge again with more files or a table, and they are recognised.
"""
_EXAMPLES = """bonescint store merge labels labels-of-ward-7 --source exports/
  bonescint store merge labels labels-of-ward-7 --patients who.csv"""


def add_to(action: Callable[..., argparse.ArgumentParser]) -> None:
    """State the action.

    Parameters
    ----------
    action : callable
        States an action of `bonescint store`, given its name, what runs it, its summary, examples and description.
    """
    merging = action("merge", merge_stores, "take another store into this one", _EXAMPLES, _DESCRIPTION)
    merging.add_argument("other", metavar="OTHER", type=Path, help="folder of the store that is taken in")
    merging.add_argument(
        "--source",
        metavar="FILE",
        nargs="+",
        type=Path,
        default=[],
        help="files that the scans of either store were added from, or folders of them",
    )
    merging.add_argument("--patients", metavar="FILE", type=Path, help="CSV table of who belongs together")


def merge_stores(arguments: argparse.Namespace) -> int:
    """Merge two stores; the exit status."""
    store, other = LabelStore.open(arguments.store), LabelStore.open(arguments.other)
    table = None if arguments.patients is None else read_patient_table(arguments.patients)
    people = _people(arguments.source, table)
    with progress_bar("merging") as advance:
        merged = merge(store, other, people, advance)
    # Whoever opens the store next finds its index made.
    store.cases()
    for sentence in merged.damaged:
        complain(f"error: {sentence}")
    if merged.unknown:
        complain(f"warning: {_unknown(merged, other)}")
    print(
        f"{counted(merged.copied, 'case')} copied, {merged.there} there already with "
        f"{counted(merged.revisions, 'new revision')}, {len(merged.damaged)} failed. "
        f"{counted(merged.in_both, 'patient')} in both."
    )
    return 1 if merged.damaged else 0


def _unknown(merged: Merged, other: LabelStore) -> str:
    return (
        f"It cannot be told of {counted(merged.unknown, 'patient')} of {other.folder} whether they were in the store "
        "already, perhaps trained on there and now judged; merge again with the files of the scans (--source) or a "
        "table of who belongs together (--patients)."
    )


def _people(files: Iterable[Path], table: PatientTable | None) -> list[Person]:
    """What files and a table tell of patients."""
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
        complain(f"error: {sentence_of(failure)}")
    if table is not None:
        people += [
            Person(tuple(clues), table.identities.get(word, ()), table.keys.get(word, frozenset()))
            for word, clues in of_word.items()
        ]
    return people
