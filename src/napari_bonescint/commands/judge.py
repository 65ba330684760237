"""`bonescint judge`: whether new weights are better than the ones in use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from tqdm import tqdm

from napari_bonescint.atomic import require_empty, write_folder_atomically
from napari_bonescint.commands import argument_types
from napari_bonescint.errors import BonescintError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.corrections.selection import Selection
    from napari_bonescint.evaluation.out_of_fold import OutOfFold
    from napari_bonescint.evaluation.reference_sets import ReferenceSet
    from napari_bonescint.evaluation.verdict import Verdict

_DESCRIPTION = """\
Compare new weights with those in use: on the corrected scans of patients who are held out from every training, and on
simulated scans, so that what was learnt before is not forgotten. Patients of whom either model learnt from a scan, in
whichever store, are left out. Says what is recommended and by which rule. Nothing is
changed; `bonescint models --use FILE` puts the new weights to use.
"""

_EXAMPLES = """\
examples:
  bonescint judge --new runs/quick/quick.safetensors --store labels
  bonescint judge --new mine.safetensors --current fdn-13 --store labels more-labels --report verdict

exit status: 0 if the comparison was made, whatever came out; 1 if it was not; 2 if the command is wrong.
"""


class JudgingError(BonescintError):
    """A comparison that means nothing."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint judge`."""
    parser = argument_types.add_command(
        subcommands, "judge", "compare new weights with those in use", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument(
        "--new", metavar="NAME|FILE", type=argument_types.model, required=True, help="the weights to be judged"
    )
    parser.add_argument(
        "--current",
        metavar="NAME|FILE",
        type=argument_types.model,
        default=argument_types.CURRENT_MODEL,
        help="the weights to compare with (default: %(default)s, the ones in use)",
    )
    argument_types.add_folders_to(parser, "--store", "label stores")
    argument_types.add_folders_to(
        parser,
        "--data",
        "folders that `bonescint simulate` filled, instead of the simulated scans that come with this installation",
    )
    argument_types.add_report_to(parser, "verdict, pictures and report.html")
    argument_types.add_device_to(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare, print what came out, and write the report; the exit status."""
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
            f"The new weights are those of {arguments.current.name}, which they are to be compared with; "
            "name others with --current."
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
            to_bear_in_mind=sentences,
            on_scan=_counter(bar),
        )
    if arguments.report is not None:
        write_folder_atomically(arguments.report, judgement.files())
    print("\n".join(_lines(judgement.verdict)))
    if arguments.report is not None:
        print(f"-> {arguments.report / 'report.html'}")
    return 0


def _out_of_fold(arguments: argparse.Namespace, selection: Selection) -> tuple[OutOfFold | None, list[str]]:
    """The scores of folds that belong to the new weights, and what to bear in mind; None if there are none."""
    from napari_bonescint.evaluation.fold_scores import folds_file, read_fold_scores
    from napari_bonescint.evaluation.folds import USUAL_FOLDS
    from napari_bonescint.evaluation.out_of_fold import OutOfFold
    from napari_bonescint.evaluation.unseen import unseen_by

    scores = read_fold_scores(folds_file(arguments.new.weights_path))
    if scores is None or scores.about.get("weights_sha256") != arguments.new.weights_sha256:
        offered = (
            f"There are corrected scans of few patients; `bonescint train --folds {USUAL_FOLDS}` scores all of them "
            "for a verdict."
        )
        return None, [offered] if selection.scans else []
    # The new weights may have learnt from them; those that were scored had not.
    unseen = unseen_by([arguments.current], selection.scans)
    found = OutOfFold(scores, unseen.scans)
    return found, [*found.sentences, *unseen.sentences]


def _simulated(folders: list[Path]) -> ReferenceSet:
    from napari_bonescint.evaluation.reference_sets import simulated_sets
    from napari_bonescint.evaluation.shipped_test_set import ShippedTest

    if not folders:
        return ShippedTest()
    sets = simulated_sets(folders)
    # The same bodies may be there as several sets, counted in several ways; they are one body each.
    return next((each for each in sets if each.name == "test"), sets[0])


def _counter(bar: tqdm[NoReturn]) -> Callable[[], object]:
    """Tells a person by a bar, and a program that reads the output by lines."""
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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [*table, "", *verdict.sentences]
