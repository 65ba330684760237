"""`bonescint store add`: add scans to a label store, and recognise their patients."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_bonescint.commands.argument_types import add_store_action
from napari_bonescint.commands.reading_arguments import add_reading_to, describe_skipped, overrides_in
from napari_bonescint.commands.terminal import print_error, progress_bar
from napari_bonescint.corrections.errors import AddedOtherwise, Damaged
from napari_bonescint.corrections.store.folder import read_secrets
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.lookalikes import Lookalikes
from napari_bonescint.corrections.store.patient_table import read_patient_table
from napari_bonescint.formats.dicom.identity import burned_in_text, read_identity
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.notices import on_command_line
from napari_bonescint.scan import SAME_VIEW, exceeds_opposite
from napari_bonescint.scan_edits import CannotRearrange

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.store.patient_table import PatientTable
    from napari_bonescint.formats.dicom.identity import Identity
    from napari_bonescint.formats.opening import ScanSource

_DESCRIPTION = """\
Add scans to a label store. Scans that are in the store stay as they are; after an interruption, give the same command
again. The store keeps no names, identifiers and dates, but it keeps text that is burned into the pixels.

Patients are recognised by their Patient ID. Letter case, blanks, dashes, leading zeros and the issuer make no
difference. If the ID names nobody, such as 0 or ANONYMOUS, all scans of a study are one patient; without a study, each
scan is a patient. Two patients with scans of one study, or with the same counts, are reported. If they are one person,
give --patients: a CSV table with the columns patient (any word, the same for one person) and id (a Patient ID, or a key
from `bonescint store list`) or file (a path from the table's folder).
"""
_EXAMPLES = """bonescint store add labels scan.dcm exports/
  bonescint store add labels anterior.png --view anterior --spacing 2.26
  bonescint store add labels exports/ --patients who.csv"""
_SAME_COUNTS = "shows the same counts, but for a few pixels, as case {}"
_REMEDY = "if both are one person, name them in a table and give the command again with --patients."


def add_to(actions: Any) -> None:
    """Add the action `add` to `bonescint store`."""
    parser = add_store_action(actions, add, "add", "add scans", _EXAMPLES, _DESCRIPTION)
    add_reading_to(parser)
    parser.add_argument("--patients", metavar="FILE", type=Path, help="CSV table of scans of the same patient")


def add(arguments: argparse.Namespace) -> int:
    """Add scans to a store; returns the exit status."""
    store = LabelStore.open(arguments.store)
    named = _NamedPatients(store, None if arguments.patients is None else read_patient_table(arguments.patients))
    known = set(store.keys())
    found = collect(arguments.inputs)
    outcomes = Counter(failed=len(found.failures))
    for failure in found.failures:
        print_error(f"error: {sentence_of(failure)}")
    if found.skipped:
        print(describe_skipped(found))
    with progress_bar("comparing") as advance:
        lookalikes = Lookalikes(store, advance)
    names: dict[str, str] = {}
    lone: dict[str, str] = {}
    for source in tqdm(found.sources, disable=None, leave=False, unit="scan"):
        try:
            key, warnings = _add(store, source, arguments, named)
        # Errors of the store itself end the command, since they would come again with the next scan.
        except (Refusal, CannotRearrange, AddedOtherwise, Damaged) as error:
            outcomes["failed"] += 1
            print_error(f"error: {sentence_of(error)}")
            continue
        lookalikes.enter(key)
        names[key] = source.name
        if _may_be_other_view(source, arguments, warnings):
            lone[key] = source.name
        for warning in dict.fromkeys(warnings):
            print_error(f"warning: {source.name}: {on_command_line(warning)}")
        outcomes["kept" if key in known else "added"] += 1
        known.add(key)
    lookalikes.keep()
    cases = store.cases()  # makes the index, too
    for warning in (*_same_views(cases, lone), *_same_patients(store, names, lookalikes)):
        print_error(f"warning: {warning}")
    print(f"{outcomes['added']} added, {outcomes['kept']} there already, {outcomes['failed']} failed.")
    return 1 if outcomes["failed"] else 0


class _NamedPatients:
    """The patients of a table, and their keys in the store."""

    def __init__(self, store: LabelStore, table: PatientTable | None) -> None:
        self._store, self._table = store, table
        self._keys: dict[str, set[str]] = defaultdict(set)
        if table is not None:
            secrets = read_secrets(store.folder)
            self._keys |= {patient: table.keys_of(patient, secrets) for patient in table.patients}

    def same_as(self, identity: Identity, paths: Iterable[Path]) -> set[str]:
        """Keys of the patient of a scan by the table; none if the table does not name the patient."""
        patient = self._patient_of(identity, paths)
        return set() if patient is None else self._keys[patient]

    def note(self, identity: Identity, paths: Iterable[Path], case: str) -> None:
        """Remember the key that the store gave to the patient of a scan."""
        patient = self._patient_of(identity, paths)
        if patient is not None:
            self._keys[patient].add(self._store.files(case).facts().patient_key)

    def _patient_of(self, identity: Identity, paths: Iterable[Path]) -> str | None:
        return None if self._table is None else self._table.patient_of(identity, paths)


def _add(
    store: LabelStore, source: ScanSource, arguments: argparse.Namespace, named: _NamedPatients
) -> tuple[str, list[str]]:
    """Add one scan; returns the key of its case, and warnings about it."""
    scan = source.open(**overrides_in(arguments))
    # Two files of one scan are of one study.
    identity = read_identity(source.paths[0])
    key = store.add(scan, identity, same_as=named.same_as(identity, source.paths))
    named.note(identity, source.paths, key)
    return key, [*scan.warnings, *filter(None, map(burned_in_text, source.paths))]


def _may_be_other_view(source: ScanSource, arguments: argparse.Namespace, warnings: Iterable[str]) -> bool:
    """Whether the view of a scan of one file is still open: not given by the user, and not asked for yet."""
    return len(source.paths) == 1 and arguments.view is None and SAME_VIEW not in warnings


def _same_views(cases: Iterable[CaseSummary], lone: Mapping[str, str]) -> list[str]:
    """Questions about single-view scans whose study has more scans of the same view; `lone` has their files by case."""
    by_study: dict[str, list[CaseSummary]] = defaultdict(list)
    for case in cases:
        # Spot images are about square; a study may have many of the same view.
        if len(case.views) == 1 and case.shape[1] >= 2 * case.shape[2]:
            by_study[case.study_key].append(case)
    return [
        f"{lone[case.key]}: {on_command_line(SAME_VIEW)}"
        for study in by_study.values()
        for case in study
        if case.key in lone and exceeds_opposite(case.views[0], [other.views[0] for other in study])
    ]


def _same_patients(store: LabelStore, names: Mapping[str, str], lookalikes: Lookalikes) -> list[str]:
    """A sentence for each two patients who may be one person; `names` has the files by case."""
    patients = store.register.patients
    found: dict[frozenset[str], str] = {}
    for case, name in names.items():
        facts = store.files(case).facts()
        own = patients.person(facts.patient_key)
        others = {}
        for other in lookalikes.like(case):
            with suppress(Damaged):  # `store check` reports it
                others[patients.person(store.files(other).facts().patient_key)] = _SAME_COUNTS.format(other)
        for key in store.register.of_study(facts.study_key):
            others.setdefault(patients.person(key), "is of the same study as a scan")
        for other, reason in others.items():
            if other != own:
                sentence = f"{name}: Case {case} of patient {own} {reason} of patient {other}; {_REMEDY}"
                found.setdefault(frozenset((own, other)), sentence)
    return list(found.values())
