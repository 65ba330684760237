"""`bonescint store`: make, list and check a label store; one module for each other action."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.store import add, export, import_masks, merge
from napari_bonescint.commands.terminal import print_error, progress_bar
from napari_bonescint.corrections.store.check import check_store
from napari_bonescint.corrections.store.folder import open_to_others
from napari_bonescint.corrections.store.index import CaseState
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.patient_split import Part
from napari_bonescint.text.formatting import counted, table_lines
from napari_bonescint.text.plain_output import one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.store.patients import Patients

_DESCRIPTION = """\
Keep scans and their corrected masks in a label store. A label store is a folder in which nothing is changed or deleted.
It tells patients apart without storing their names.
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
    """Add the command `bonescint store`."""
    parser = argument_types.add_command(subcommands, "store", "keep scans and corrected masks", _DESCRIPTION, _EXAMPLES)
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    add_action = argument_types.add_store_action
    add_action(actions, create, "create", "make a store in an empty or a new folder", "bonescint store create labels")
    add.add_to(actions)
    add_action(actions, list_cases, "list", "list the cases and their states", "bonescint store list labels")
    summary = "compare every file with its hash"
    details = "Compare every file of a store with its hash. The exit status is 1 if a file is damaged."
    add_action(actions, check, "check", summary, "bonescint store check labels", details)
    export.add_to(actions)
    import_masks.add_to(actions)
    merge.add_to(actions)


def create(arguments: argparse.Namespace) -> int:
    """Make a store; returns the exit status."""
    store = LabelStore.create(arguments.store)
    print(f"{store.folder} is a label store now. Leave its file `secret` out when you give the store to others.")
    _warn_of_readers(store)
    return 0


def list_cases(arguments: argparse.Namespace) -> int:
    """Print the cases of a store; returns the exit status."""
    store = LabelStore.open(arguments.store)
    cases, patients = store.cases(), store.patients()
    rows = [tuple(map(one_line, _row(case, patients.person(case.patient_key)))) for case in cases]
    print("\n".join([*table_lines([_HEADINGS, *rows]), "", _totals(cases, patients)]))
    for reason in store.damaged_cases.values():
        print_error(f"warning: {reason}")
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Check a store; returns the exit status."""
    store = LabelStore.open(arguments.store)
    with progress_bar("checking") as advance:
        found = check_store(store, advance)
    for sentence in found.damage:
        print_error(f"error: {sentence}")
    _warn_of_readers(store)
    if found.leftovers:
        example = found.leftovers[0]
        print(f"{len(found.leftovers)} harmless files are left over from interrupted writes, such as {example}.")
    hot_spots = f", {counted(found.hot_spots, 'revision')} of hot spots" if found.hot_spots else ""
    print(
        f"{found.cases} cases, {found.predictions} predictions, {found.revisions} revisions{hot_spots} and "
        f"{found.drafts} drafts are whole; {len(found.damage)} damaged."
    )
    return 1 if found.damage else 0


def _warn_of_readers(store: LabelStore) -> None:
    for path in open_to_others(store.folder):
        content = "the store's secret, which can reveal the patients" if path.is_file() else "the store"
        print_error(f"warning: {path}: other users of this computer can read {content}; `chmod go= {path}` closes it.")


def _totals(cases: Sequence[CaseSummary], patients: Patients) -> str:
    """A sentence with the numbers of scans in a store, and of reviewed scans to train, validate and judge."""
    reviewed = [case for case in cases if case.state is CaseState.REVIEWED]
    of_part = {
        part: _scans_of_patients([case for case in reviewed if patients.part(case.patient_key) is part], patients)
        for part in Part
    }
    return (
        f"{_scans_of_patients(cases, patients)}. {len(reviewed)} reviewed: {of_part[Part.TRAINED]} to learn from, "
        f"{of_part[Part.VALIDATING]} to validate on, {of_part[Part.JUDGED]} held out to judge on."
    )


def _scans_of_patients(cases: Iterable[CaseSummary], patients: Patients) -> str:
    persons = [patients.person(case.patient_key) for case in cases]
    return f"{counted(len(persons), 'scan')} of {counted(len(set(persons)), 'patient')}"


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
