"""`bonescint train`: train networks on simulated cases, on corrected scans, or on both."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.simulate import prepare_geometry
from napari_bonescint.commands.terminal import print_error, progress_bar
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.folds import FEW_PATIENTS, USUAL_FOLDS, patients_in
from napari_bonescint.files.names import is_file_name
from napari_bonescint.resources import shipped_folder
from napari_bonescint.training.loop.recipe import Recipe, read_recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lightning_fabric import Fabric

    from napari_bonescint.corrections.selection import Selection
    from napari_bonescint.training.data.sources import CaseSource
    from napari_bonescint.training.data.training_data import TrainingData

_DESCRIPTION = """\
Train networks, one recipe after the other.

With --store, train on corrected scans: the latest reviewed revision of each case. One patient in five is always held
out for `bonescint judge`. One in eight of the others validates: these scans choose the best weights. With --cases or
--simulate, train on simulated scans. With both, train on a mixture, so that the network keeps its earlier skills.

A training continues from the last checkpoint in RUNS/NAME if recipe, start and scans are still the same. After the last
step, or on Ctrl-C, the best weights are calibrated, scored on the validation scans and written to --out with their
model card. If no weights are better than the start weights, nothing is written. RUNS/NAME/log.jsonl is the log. To
pause or stop a training, write `pause` or `stop` to the file RUNS/NAME/request.
"""

_EXAMPLES = """\
examples:
  bonescint train quick --store labels/ --estimate
  bonescint train quick --store labels/ --minutes 10
  bonescint train quick --store labels/ --simulate --name ward-7
  bonescint train quick --store labels/ --folds 5
  bonescint train train/recipes/u-net.toml --cases data/training --held-out data/validation --minutes 60
  bonescint train full --store labels/ --cases data/training --devices 4

Needs the extra [train]: pip install "napari-bonescint[train]". docs/retraining.md is a guide.
"""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")


class TrainCommandError(BonescintError):
    """The arguments of a training do not fit together."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint train`."""
    parser = argument_types.add_command(
        subcommands, "train", "train networks on corrected or simulated scans", _DESCRIPTION, _EXAMPLES
    )
    parser.allow_abbrev = False
    parser.add_argument(
        "recipes", type=_recipe_path, nargs="+", metavar="RECIPE", help="a file like those in train/recipes/, or a name"
    )
    argument_types.add_paths_to(parser, "--store", "label stores with corrected scans")
    simulated = parser.add_mutually_exclusive_group()
    simulated.add_argument("--cases", type=Path, metavar="DIR", help="folder from `bonescint simulate`")
    simulated.add_argument("--simulate", action="store_true", help="simulate new cases during the training")
    held_out = "folder of cases with other seeds, to validate on (needed without --store)"
    parser.add_argument("--held-out", type=Path, metavar="DIR", help=held_out)
    start = parser.add_mutually_exclusive_group()
    whole = "model whose weights the training starts from, in place of the recipe's; all tensors must fit"
    start.add_argument("--start", metavar="NAME|FILE", help=whole)
    partial = "as --start, but only with the tensors that fit; their number is printed"
    start.add_argument("--start-partial", metavar="NAME|FILE", help=partial)
    parser.add_argument("--name", type=_name, help="name of the run and of its model (default: the recipe's)")
    runs = "folder for the runs, one folder NAME for each (default: %(default)s)"
    parser.add_argument("--runs", type=Path, metavar="DIR", default=Path("runs"), help=runs)
    parser.add_argument(
        "--out", type=argument_types.folder, metavar="DIR", help="folder for weights and cards (default: RUNS/NAME)"
    )
    parser.add_argument(
        "--minutes",
        type=argument_types.minutes,
        metavar="M",
        help="take only as many of the recipe's steps as fit in this time; the first steps are timed (default: all)",
    )
    estimate = "print the time that the training takes on this computer, and do not train"
    parser.add_argument("--estimate", action="store_true", help=estimate)
    parser.add_argument(
        "--folds",
        type=_folds,
        metavar="K",
        help="for few patients: first train K times, each time without some of the patients, and score them; "
        f"`judge` uses these scores if there are fewer than {FEW_PATIENTS} patients",
    )
    argument_types.add_device_to(parser)
    parser.add_argument(
        "--workers",
        type=argument_types.count_or_none,
        metavar="N",
        help="number of processes that make examples (default: 1 on a CPU; one a core, up to 16, on a GPU)",
    )
    parser.add_argument(
        "--devices",
        "--processes",
        type=argument_types.count,
        metavar="N",
        default=1,
        help="number of processes that train together on this computer, each on its own GPU if any (default: 1)",
    )
    nodes = "number of computers that train together (default: 1)"
    parser.add_argument("--nodes", type=argument_types.count, metavar="M", default=1, help=nodes)
    parser.add_argument("--tensorboard", action="store_true", help="also write curves for TensorBoard")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train one network for each recipe; returns the exit status."""
    from napari_bonescint.inference.devices import choose_device
    from napari_bonescint.training.loop.fabric import choose_workers, start_fabric

    recipes = [_adapted(read_recipe(path), arguments) for path in arguments.recipes]
    if arguments.name and len(recipes) > 1:
        raise TrainCommandError("--name is for a single recipe; leave it out or give one recipe.")
    if arguments.store and (others := [recipe.name for recipe in recipes if not recipe.segments]):
        raise TrainCommandError(
            f"{others[0]} learns which lesions are metastases, and corrected scans do not tell; give --cases or "
            "--simulate, and --held-out, in place of --store."
        )
    if arguments.estimate:
        return _estimate(recipes, arguments)
    data = _data(arguments)
    # Processes that train together each have their own GPU.
    rank = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
    device = choose_device(arguments.device, int(rank)).device
    if arguments.workers is None:
        arguments.workers = choose_workers(device, arguments.devices)
    fabric = start_fabric(device, arguments.devices, arguments.nodes)
    if fabric.is_global_zero and not arguments.folds:
        _offer_folds(data.selection)
    failed = 0
    for recipe in recipes:
        try:
            was_interrupted = _train(recipe, data, fabric, arguments)
        except BonescintError as error:
            print_error(f"{recipe.name}: {error}")
            failed += 1
        else:
            if was_interrupted:
                break
    return 1 if failed else 0


def _estimate(recipes: Sequence[Recipe], arguments: argparse.Namespace) -> int:
    from napari_bonescint.inference.devices import choose_device
    from napari_bonescint.training.runs.time_needed import time_needed

    data = _data(arguments) if arguments.store or arguments.held_out else None
    device = choose_device(arguments.device).device
    for recipe in recipes:
        needed = time_needed(recipe, data, device, arguments.minutes, 1 + (arguments.folds or 0))
        print(f"{recipe.name}: {needed}", flush=True)
    return 0


def _train(recipe: Recipe, data: TrainingData, fabric: Fabric, arguments: argparse.Namespace) -> bool:
    from napari_bonescint.training.runs.run_folder import RunFolder
    from napari_bonescint.training.runs.session import Session, SessionSettings
    from napari_bonescint.training.runs.tensorboard import TensorBoardCurves

    if arguments.folds:
        from napari_bonescint.training.runs.cross_validation import train_with_folds
    folder = arguments.runs / recipe.name
    settings = SessionSettings(arguments.device, arguments.minutes, arguments.workers, arguments.out)
    with ExitStack() as stack:
        listeners: tuple[TensorBoardCurves, ...] = ()
        if arguments.tensorboard and fabric.is_global_zero:
            listeners = (stack.enter_context(closing(TensorBoardCurves(folder / "tensorboard"))),)
        run = RunFolder(folder)
        if arguments.folds:
            return train_with_folds(recipe, data, fabric, run, settings, arguments.folds, listeners)
        return Session(recipe, data, fabric, run, settings, listeners).train()


def _adapted(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """A recipe with the name and start weights of the command line."""
    changes: dict[str, Any] = {"name": arguments.name or recipe.name}
    if arguments.start:
        changes |= {"start": (arguments.start,), "start_partial": ()}
    elif arguments.start_partial:
        changes |= {"start": (), "start_partial": (arguments.start_partial,)}
    return dataclasses.replace(recipe, **changes)


def _data(arguments: argparse.Namespace) -> TrainingData:
    """The scans to train on and the scans to validate on; no scan is both."""
    from napari_bonescint.training.data.training_data import TrainingData

    stores = [LabelStore.open(path) for path in arguments.store]
    held_out: Sequence[Path] = ()
    if arguments.held_out is not None:
        held_out = sorted(arguments.held_out.glob("case_*.npz"))
        if not held_out:
            raise TrainCommandError(f"{arguments.held_out}: holds no cases to score on; simulate some first.")
    elif not stores:
        raise TrainCommandError("There is nothing to score on; give --held-out or --store.")
    simulated = _simulated(arguments, held_out)
    return TrainingData(_select(stores) if stores else None, simulated, tuple(held_out))


def _offer_folds(selection: Selection | None) -> None:
    """Advise cross-validation if there are few patients."""
    patients = 0 if selection is None else len(patients_in(selection))
    if USUAL_FOLDS <= patients < FEW_PATIENTS:
        print(
            f"There are corrected scans of {patients} patients, too few for a verdict; --folds {USUAL_FOLDS} trains "
            f"{USUAL_FOLDS} times more and scores all of them.",
            flush=True,
        )


def _select(stores: Sequence[LabelStore]) -> Selection:
    """The corrected scans of label stores; the first reading of a large store takes a while."""
    from napari_bonescint.corrections.selection import select

    with progress_bar("reading masks") as advance:
        return select(stores, advance)


def _simulated(arguments: argparse.Namespace, held_out: Sequence[Path]) -> CaseSource | None:
    from napari_bonescint.simulation.splits import read_splits, seed_of
    from napari_bonescint.training.data.sources import SimulatedCaseFiles, SimulatedStream

    if arguments.simulate:
        if any(read_splits()["training"].holds(seed_of(path)) for path in held_out):
            raise TrainCommandError(
                f"{arguments.held_out}: has seeds of the training split, which --simulate uses; give other seeds."
            )
        return SimulatedStream(prepare_geometry(arguments.runs))
    if arguments.cases is None:
        return None
    paths = sorted(arguments.cases.glob("case_*.npz"))
    if shared := {path.name for path in paths} & {path.name for path in held_out}:
        raise TrainCommandError(
            f"{arguments.held_out}: {len(shared)} of its cases are also in --cases; use other seeds."
        )
    return SimulatedCaseFiles(paths)


def _recipe_path(text: str) -> Path:
    """Find a recipe: a file, or the name of a shipped recipe."""
    path = Path(text)
    if not path.exists() and not path.suffix:
        shipped = shipped_folder("train") / "recipes" / f"{text}.toml"
        if not shipped.exists():
            known = ", ".join(sorted(each.stem for each in shipped.parent.glob("*.toml")))
            raise argparse.ArgumentTypeError(f"there is no recipe {text!r}; give a file, or one of {known}")
        return shipped
    return path


def _folds(text: str) -> int:
    """Read a number of folds, at least 2."""
    return argument_types.count(text, 2)


def _name(text: str) -> str:
    """Check a name that also names a folder."""
    if not (_NAME.fullmatch(text) and is_file_name(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of letters, digits, dots and dashes")
    return text
