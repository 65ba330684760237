"""`bonescint judge`: compare new weights with the model in use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from napari_bonescint.commands import argument_types
from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import require_empty, write_folder_atomically
from napari_bonescint.text.formatting import table_lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.corrections.selection import Selection
    from napari_bonescint.evaluation.out_of_fold import OutOfFold
    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.evaluation.verdict import Verdict

_DESCRIPTION = """\
Compare new weights with those in use: on corrected scans of held-out patients, and on simulated scans to find losses on
other patients. Patients that one of the models was trained on, in any store, are left out. The output is a
recommendation and its rule. Nothing is changed; `bonescint models --use FILE` puts the new weights into use.
"""

_EXAMPLES = """\
examples:
  bonescint judge --new runs/quick/quick.safetensors --store labels
  bonescint judge --new mine.safetensors --current fdn-13 --store labels more-labels --report verdict

exit status: 0 if the comparison was made, whatever its result; 1 if it failed; 2 if the command is wrong.
"""


class JudgingError(BonescintError):
    """The two models have the same weights."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint judge`."""
    parser = argument_types.add_command(
        subcommands, "judge", "compare new weights with those in use", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument("--new", metavar="NAME|FILE", type=argument_types.model, required=True, help="the new weights")
    argument_types.add_current_model_to(parser, "--current", "the weights to compare with")
    argument_types.add_paths_to(parser, "--store", "label stores")
    simulated = "folders from `bonescint simulate`, in place of the simulated scans of this installation"
    argument_types.add_paths_to(parser, "--data", simulated)
    argument_types.add_report_to(parser, "verdict, pictures and report.html")
    argument_types.add_device_to(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print the result and write the report; returns the exit status."""
    from napari_bonescint.corrections.selection import select
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.evaluation.corrected_set import CorrectedSet
    from napari_bonescint.evaluation.folds import FEW_PATIENTS, patients_in
    from napari_bonescint.evaluation.model_comparison import compare
    from napari_bonescint.evaluation.unseen import unseen_by

    if arguments.report is not None:
        require_empty(arguments.report)
    if arguments.new.weights_sha256 == arguments.current.weights_sha256:
        raise JudgingError(
            f"The new weights are the same as those of {arguments.current.name}; give other weights with --current."
        )
    selection = select([LabelStore.open(folder) for folder in arguments.store])
    unseen = unseen_by([arguments.new, arguments.current], selection.held_out)
    corrected, simulated = CorrectedSet(unseen.scans), _simulated(arguments.data)
    few = len(patients_in(selection)) < FEW_PATIENTS
    out_of_fold, sentences = _out_of_fold(arguments, selection) if few else (None, [])
    if out_of_fold is None:
        sentences += unseen.sentences
    total = len(corrected) + len(simulated) + (0 if out_of_fold is None else len(out_of_fold))
    with tqdm(total=total, disable=None, leave=False, unit="scan", file=sys.stderr) as bar:
        judgement = compare(
            arguments.current,
            arguments.new,
            corrected,
            simulated,
            out_of_fold=out_of_fold,
            device=arguments.device,
            notes=sentences,
            on_scan=_progress(bar),
        )
    if arguments.report is not None:
        write_folder_atomically(arguments.report, judgement.files())
    print("\n".join(_lines(judgement.verdict)))
    if arguments.report is not None:
        print(f"-> {arguments.report / 'report.html'}")
    return 0


def _out_of_fold(arguments: argparse.Namespace, selection: Selection) -> tuple[OutOfFold | None, list[str]]:
    """The cross-validation scores of the new weights, or None, and sentences to show with the result."""
    from napari_bonescint.evaluation.fold_scores import folds_file, read_fold_scores
    from napari_bonescint.evaluation.folds import EXTRA_TRAININGS, USUAL_FOLDS
    from napari_bonescint.evaluation.out_of_fold import OutOfFold
    from napari_bonescint.evaluation.unseen import unseen_by

    scores = read_fold_scores(folds_file(arguments.new.weights_path))
    if scores is None or scores.about.get("weights_sha256") != arguments.new.weights_sha256:
        advice = (
            f"There are corrected scans of few patients. Train again with {EXTRA_TRAININGS} (in the panel Retrain, or "
            f"--folds {USUAL_FOLDS} on the command line): all patients then count."
        )
        return None, [advice] if selection.scans else []
    # The new weights may be trained on these patients; the weights of each fold, which were scored, are not.
    unseen = unseen_by([arguments.current], selection.scans)
    found = OutOfFold(scores, unseen.scans)
    return found, [*found.sentences, *unseen.sentences]


def _simulated(folders: list[Path]) -> ReferenceSet:
    from napari_bonescint.evaluation.reference_sets import simulated_sets
    from napari_bonescint.evaluation.shipped_test_set import ShippedTest

    if not folders:
        return ShippedTest()
    sets = simulated_sets(folders)
    # Several sets may hold the same bodies with other counts; only one of them is used.
    return next((each for each in sets if each.name == "test"), sets[0])


def _progress(bar: tqdm[NoReturn]) -> Callable[[], object]:
    """A function that counts a scan: in the bar and, if a program reads the output, in a line."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        bar.update()
        if not sys.stdout.isatty():
            print(f"scored {done} of {bar.total}", flush=True)

    return count


def _lines(verdict: Verdict) -> list[str]:
    headings = ("SCANS", "REGION", "PATIENTS", "VIEWS", "PRESENT", "NEW", "DIFFERENCE", "95 % INTERVAL")
    rows = [headings] + [
        (
            *(row.set, row.label, str(row.patients), str(row.views), f"{row.current:.4f}", f"{row.new:.4f}"),
            *(f"{row.difference:+.4f}", "" if row.low is None else f"{row.low:+.4f} to {row.high:+.4f}"),
        )
        for row in verdict.rows
    ]
    return [*table_lines(rows), "", *verdict.sentences]
