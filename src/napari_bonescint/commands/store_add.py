"""`bonescint store add`: scans into a label store, each to the patient whom it is of."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from napari_bonescint.commands.reading_arguments import add_reading_to, describe_skipped, overrides_in
from napari_bonescint.corrections.errors import AddedOtherwise, Damaged
from napari_bonescint.corrections.store.folder import read_secrets
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.lookalikes import Lookalikes
from napari_bonescint.corrections.store.patient_table import read_patient_table
from napari_bonescint.formats.dicom.identity import burned_in_text, read_identity
from napari_bonescint.formats.opening import collect
from napari_bonescint.formats.safe_reading.refusal import Refusal, sentence_of
from napari_bonescint.plain_output import one_line
from napari_bonescint.scan import SAME_VIEW, is_outnumbering
from napari_bonescint.scan_edits import CannotRearrange

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from napari_bonescint.corrections.store.index import CaseSummary
    from napari_bonescint.corrections.store.patient_table import PatientTable
    from napari_bonescint.formats.dicom.identity import Identity
    from napari_bonescint.formats.opening import ScanSource

_DESCRIPTION = """\
Add scans to a label store. What is there already stays as it is, so that an interrupted run is taken up by giving the
same command again. Names, identifiers and dates stay out of the store; text that is burned into pixels does not.

A patient is known by the Patient ID in any spelling: letter case, blanks, dashes, the zeros a number begins with and
the issuer make no difference. IDs such as 0 or ANONYMOUS name nobody; then the study counts, and else each scan is a
patient. Two patients with scans of one study, or with the same counts, are named: if they are one, say so with
--patients, a CSV table with the columns patient (any word, the same for one person) and id (a Patient ID, or a key that
`bonescint store list` prints) or file (a file, from the table's folder).
"""
_EXAMPLES = """bonescint store add labels scan.dcm exports/
  bonescint store add labels anterior.png --view anterior --spacing 2.26
  bonescint store add labels exports/ --patients who.csv"""
_SAME_COUNTS = "shows the same counts, but for a few pixels, as case {}"
_SAY_SO = "if both are one person, name them in a table and give the command again with --patients."


def add_to(action: Callable[..., argparse.ArgumentParser]) -> None:
    """State the action.

    Parameters
    ----------
    action : callable
        States an action of `bonescint store`, given its name, what runs it, its summary, examples and description.
    """
    adding = action("add", add, "add scans", _EXAMPLES, _DESCRIPTION)
    add_reading_to(adding)
    adding.add_argument("--patients", metavar="FILE", type=Path, help="CSV table of who belongs together")


def add(arguments: argparse.Namespace) -> int:
    """Add what was named; the exit status."""
    store = LabelStore.open(arguments.store)
    named = _NamedPatients(store, None if arguments.patients is None else read_patient_table(arguments.patients))
    before = set(store.keys())
    found = collect(arguments.inputs)
    outcomes = Counter(failed=len(found.failures))
    for failure in found.failures:
        complain(f"error: {sentence_of(failure)}")
    if found.skipped:
        print(describe_skipped(found))
    with progress_bar("comparing") as advance:
        lookalikes = Lookalikes(store, advance)
    names: dict[str, str] = {}
    lone: dict[str, str] = {}
    for source in tqdm(found.sources, disable=None, leave=False, unit="scan"):
        try:
            key, warnings = _add(store, source, arguments, named)
        # What is wrong with the store itself ends the command: it is as wrong for the next scan.
        except (Refusal, CannotRearrange, AddedOtherwise, Damaged) as error:
            outcomes["failed"] += 1
            complain(f"error: {sentence_of(error)}")
            continue
        lookalikes.enter(key)
        names[key] = source.name
        if _may_be_other_view(source, arguments, warnings):
            lone[key] = source.name
        for warning in dict.fromkeys(warnings):
            complain(f"warning: {source.name}: {warning}")
        outcomes["kept" if key in before else "added"] += 1
        before.add(key)
    lookalikes.keep()
    # Whoever opens the store next finds its index made.
    cases = store.cases()
    for warning in (*_same_views(cases, lone), *_strangers(store, names, lookalikes)):
        complain(f"warning: {warning}")
    print(f"{outcomes['added']} added, {outcomes['kept']} there already, {outcomes['failed']} failed.")
    return 1 if outcomes["failed"] else 0


class _NamedPatients:
    """What a table says of the patients of a store, and the keys that they turned out to have."""

    def __init__(self, store: LabelStore, table: PatientTable | None) -> None:
        self._store, self._table = store, table
        self._keys: dict[str, set[str]] = defaultdict(set)
        if table is not None:
            secrets = read_secrets(store.folder)
            self._keys |= {patient: table.keys_of(patient, secrets) for patient in table.patients}

    def same_as(self, identity: Identity, paths: Iterable[Path]) -> set[str]:
        """Keys under which the patient of a scan is known by the table; none where it does not say."""
        patient = self._patient_of(identity, paths)
        return set() if patient is None else self._keys[patient]

    def note(self, identity: Identity, paths: Iterable[Path], case: str) -> None:
        """Take down under which key the patient of a scan is in the store."""
        patient = self._patient_of(identity, paths)
        if patient is not None:
            self._keys[patient].add(self._store.files(case).facts().patient_key)

    def _patient_of(self, identity: Identity, paths: Iterable[Path]) -> str | None:
        return None if self._table is None else self._table.patient_of(identity, paths)


def _add(
    store: LabelStore, source: ScanSource, arguments: argparse.Namespace, named: _NamedPatients
) -> tuple[str, list[str]]:
    """The key of the case, and what there is to bear in mind about the scan."""
    scan = source.open(**overrides_in(arguments))
    # Two files of one scan are of one study.
    identity = read_identity(source.paths[0])
    key = store.add(scan, identity, same_as=named.same_as(identity, source.paths))
    named.note(identity, source.paths, key)
    about_pixels = [burned_in_text(path) for path in source.paths]
    return key, [*scan.warnings, *filter(None, about_pixels)]


def _may_be_other_view(source: ScanSource, arguments: argparse.Namespace, warnings: Iterable[str]) -> bool:
    """Whether nobody has said which view a scan of one file shows, nor been asked yet."""
    return len(source.paths) == 1 and arguments.view is None and SAME_VIEW not in warnings


def _same_views(cases: Iterable[CaseSummary], lone: Mapping[str, str]) -> list[str]:
    """Questions about scans of one view whose study has another such scan of that view in the store, from before.

    Parameters
    ----------
    cases : iterable of CaseSummary
        All of the store.
    lone : mapping of str to str
        By case, the files to be asked about.
    """
    by_study: dict[str, list[CaseSummary]] = defaultdict(list)
    for case in cases:
        # Spots are about square, and many of a study show the same view.
        if len(case.views) == 1 and case.shape[1] >= 2 * case.shape[2]:
            by_study[case.study_key].append(case)
    return [
        f"{lone[case.key]}: {SAME_VIEW}"
        for study in by_study.values()
        for case in study
        if case.key in lone and is_outnumbering(case.views[0], [other.views[0] for other in study])
    ]


def _strangers(store: LabelStore, names: Mapping[str, str], lookalikes: Lookalikes) -> list[str]:
    """Sentences on patients who may be one person, a pair each; `names` are the files by case."""
    patients = store.register.patients
    told: dict[frozenset[str], str] = {}
    for case, name in names.items():
        facts = store.files(case).facts()
        own = patients.person(facts.patient_key)
        others = {}
        for other in lookalikes.like(case):
            with suppress(Damaged):  # `store check` tells of it
                others[patients.person(store.files(other).facts().patient_key)] = _SAME_COUNTS.format(other)
        for key in store.register.of_study(facts.study_key):
            others.setdefault(patients.person(key), "is of the same study as a scan")
        for other, what in others.items():
            if other != own:
                sentence = f"{name}: Case {case} of patient {own} {what} of patient {other}; {_SAY_SO}"
                told.setdefault(frozenset((own, other)), sentence)
    return list(told.values())


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[float], object]]:
    """A bar on standard error, which appears when it is first told a fraction from 0 to 1."""
    form = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(total=1, desc=what, disable=None, leave=False, delay=1, bar_format=form) as bar:
        yield lambda fraction: bar.update(fraction - bar.n)


def complain(line: str) -> None:
    """Print a line on standard error, beside a bar."""
    with tqdm.external_write_mode(sys.stderr):
        print(one_line(line), file=sys.stderr, flush=True)
