"""`bonescint store`: making, listing and checking a label store; `store_add` and `store_exchange` have the rest."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_bonescint.commands import argument_types, store_add, store_exchange, store_import, store_merge
from napari_bonescint.commands.store_add import complain
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.folder import open_to_others
from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part
from napari_bonescint.plain_output import one_line
from napari_bonescint.text import counted

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.store.patients import Patients

_DESCRIPTION = """\
Keep scans and the corrections of their masks in a label store: a folder that is only ever added to, and that tells
patients apart without naming them.
"""
_EXAMPLES = """\
examples:
  bonescint store create labels
  bonescint store add labels exports/
  bonescint store list labels
  bonescint store check labels
  bonescint store export labels --out masks
  bonescint store import labels scan.seg.dcm --source scan.dcm --annotator Ada
  bonescint store merge labels labels-of-ward-7 --source exports/
"""
_HEADINGS = ("CASE", "PATIENT", "VIEWS", "SIZE", "STATE", "ANNOTATOR", "WHEN", "UNCERTAINTY", "PREDICTED DICE")


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint store`."""
    parser = argument_types.add_command(subcommands, "store", "keep scans and corrected masks", _DESCRIPTION, _EXAMPLES)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _action(actions, "create", create, "make a store in an empty or a new folder", "bonescint store create labels")
    store_add.add_to(partial(_action, actions))
    _action(actions, "list", list_cases, "list the cases and how far each has come", "bonescint store list labels")
    _action(
        actions,
        "check",
        check,
        "read everything and compare it with its hash",
        "bonescint store check labels",
        "Read everything in a store and compare it with its hash. Exit status 1 if anything is damaged.",
    )
    store_exchange.add_to(partial(_action, actions))
    store_import.add_to(partial(_action, actions))
    store_merge.add_to(partial(_action, actions))


def create(arguments: argparse.Namespace) -> int:
    """Make a store; the exit status."""
    store = LabelStore.create(arguments.store)
    print(f"{store.folder} is a label store now. Keep its file `secret` to yourself when you pass the store on.")
    _warn_of_readers(store)
    return 0


def list_cases(arguments: argparse.Namespace) -> int:
    """Print the cases of a store; the exit status."""
    store = LabelStore.open(arguments.store)
    cases, patients = store.cases(), store.patients()
    print("\n".join([*table(cases, patients), "", in_all(cases, patients)]))
    for key in store.damaged_cases:
        complain(f"warning: case {key} is damaged; `bonescint store check {arguments.store}` says how.")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Check a store; the exit status."""
    store = LabelStore.open(arguments.store)
    with tqdm(total=1, disable=None, leave=False, bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining}") as bar:

        def advance(fraction: float) -> None:
            bar.n = fraction
            bar.refresh()

        found = check_store(store, advance)
    for sentence in found.damage:
        complain(f"error: {sentence}")
    _warn_of_readers(store)
    if found.leftovers:
        example = found.leftovers[0]
        print(f"{len(found.leftovers)} harmless files are left over from interrupted writes, such as {example}.")
    print(
        f"{found.cases} cases, {found.predictions} predictions, {found.revisions} revisions and {found.drafts} drafts "
        f"are whole; {len(found.damage)} damaged."
    )
    return 1 if found.damage else 0


def _warn_of_readers(store: LabelStore) -> None:
    for path in open_to_others(store.folder):
        what = "the store's secret, which tells whose scans these are" if path.is_file() else "the store"
        complain(f"warning: {path}: other users of this computer can read {what}; `chmod go= {path}` closes it.")


def table(cases: Iterable[CaseSummary], patients: Patients) -> list[str]:
    """Lines of a table of cases."""
    rows = [_HEADINGS, *(tuple(map(one_line, _row(case, patients.person(case.patient_key)))) for case in cases)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def in_all(cases: Sequence[CaseSummary], patients: Patients) -> str:
    """How many scans there are, and what `bonescint train` would do with those that are reviewed, in a sentence."""
    reviewed = [case for case in cases if case.state is CaseState.REVIEWED]
    of_part = {
        part: _of_patients([case for case in reviewed if patients.part(case.patient_key) is part], patients)
        for part in Part
    }
    return (
        f"{_of_patients(cases, patients)}. {len(reviewed)} reviewed: {of_part[Part.TRAINED]} to learn from, "
        f"{of_part[Part.VALIDATING]} to validate on, {of_part[Part.JUDGED]} held out to judge on."
    )


def _of_patients(cases: Sequence[CaseSummary], patients: Patients) -> str:
    number = len({patients.person(case.patient_key) for case in cases})
    return f"{counted(len(cases), 'scan')} of {counted(number, 'patient')}"


def _row(case: CaseSummary, patient: str) -> tuple[str, ...]:
    return (
        case.key,
        patient,
        " + ".join(case.views),
        f"{case.shape[1]} x {case.shape[2]}",
        case.state,
        case.annotator or "",
        case.when or "",
        "" if case.uncertainty is None else f"{case.uncertainty:.3f}",
        "" if case.predicted_dice is None else f"{case.predicted_dice:.3f}",
    )


def _action(
    actions: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    example: str,
    description: str | None = None,
) -> argparse.ArgumentParser:
    """State one action, with the store as its first argument."""
    description = description or f"{summary[0].upper()}{summary[1:]}."
    parser = argument_types.add_command(actions, name, summary, description, f"example:\n  {example}")
    parser.add_argument("store", metavar="STORE", type=Path, help="folder of the label store")
    parser.set_defaults(run=run)
    return parser
