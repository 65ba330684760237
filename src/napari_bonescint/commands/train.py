"""`bonescint train`: networks from simulated cases, from corrected scans, or from both."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.simulate import prepare_geometry
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.errors import BonescintError
from napari_bonescint.evaluation.folds import FEW_PATIENTS, USUAL_FOLDS, patients_in
from napari_bonescint.file_names import is_file_name
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

With --store, learn from the scans that people corrected: of each case the latest reviewed revision. One patient in five
is held out for ever, for `bonescint judge`; one in eight of the others validates, which chooses the best weights. With
--cases or --simulate, learn from simulated scans; with both, from a mixture, so that nothing is forgotten.

Each training begins, or goes on from the last checkpoint in RUNS/NAME if recipe, start and scans are still the same.
After its last step, or on Ctrl-C, the best weights and their model card are written to --out, calibrated and scored on
what validates. The weights that training begins from are a candidate: if none are better, nothing is written.
RUNS/NAME/log.jsonl tells all that happens; the text `pause` or `stop` in RUNS/NAME/request steers it.
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
    """A training that cannot begin as asked."""


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint train`."""
    parser = argument_types.add_command(
        subcommands, "train", "train networks on corrected or simulated scans", _DESCRIPTION, _EXAMPLES
    )
    parser.allow_abbrev = False
    parser.add_argument(
        "recipes", type=_recipe_path, nargs="+", metavar="RECIPE", help="a file like those in train/recipes/, or a name"
    )
    argument_types.add_folders_to(parser, "--store", "label stores with corrected scans")
    simulated = parser.add_mutually_exclusive_group()
    simulated.add_argument("--cases", type=Path, metavar="DIR", help="folder that `bonescint simulate` filled")
    simulated.add_argument("--simulate", action="store_true", help="simulate a new case for each pair of views")
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="DIR",
        help="folder of cases with other seeds, to validate on (needed without --store)",
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--start",
        metavar="NAME|FILE",
        help="model whose weights to begin from, all of which must fit, instead of the recipe's",
    )
    start.add_argument(
        "--start-partial", metavar="NAME|FILE", help="the same, from what fits; says how many tensors do"
    )
    parser.add_argument("--name", type=_name, help="of the run and its model (default: the recipe's)")
    parser.add_argument(
        "--runs", type=Path, metavar="DIR", default=Path("runs"), help="gets a folder NAME for each (default: runs)"
    )
    parser.add_argument(
        "--out", type=argument_types.folder, metavar="DIR", help="folder for weights and cards (default: RUNS/NAME)"
    )
    parser.add_argument(
        "--minutes",
        type=argument_types.minutes,
        metavar="M",
        help="take as many of the recipe's steps as this time allows, by how long the first ones take (default: all)",
    )
    parser.add_argument(
        "--estimate", action="store_true", help="say how long it takes on this computer, and do not train"
    )
    parser.add_argument(
        "--folds",
        type=_folds,
        metavar="K",
        help="for few patients: before, train K times without a part of them, and score each on those that it has not "
        f"seen; `judge` decides by that with fewer than {FEW_PATIENTS} patients",
    )
    argument_types.add_device_to(parser)
    parser.add_argument(
        "--workers",
        type=argument_types.count_or_none,
        metavar="N",
        help="processes that make examples (default: 1 on a CPU, as many as there are cores, up to 8, on a GPU)",
    )
    parser.add_argument(
        "--devices",
        "--processes",
        type=argument_types.count,
        metavar="N",
        default=1,
        help="processes that train together on this machine, each on a GPU if any (default: 1)",
    )
    parser.add_argument(
        "--nodes", type=argument_types.count, metavar="M", default=1, help="machines that train together (default: 1)"
    )
    parser.add_argument("--tensorboard", action="store_true", help="write curves for TensorBoard, too")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Train as asked; the exit status."""
    from napari_bonescint.inference.devices import choose_device
    from napari_bonescint.training.loop.fabric import choose_workers, start_fabric

    recipes = [_adapted(read_recipe(path), arguments) for path in arguments.recipes]
    if arguments.name and len(recipes) > 1:
        raise TrainCommandError("--name is for a single recipe; leave it out, or give one recipe.")
    if arguments.estimate:
        return _estimate(recipes, arguments)
    material = _material(arguments)
    # Of processes that train together each looks at the GPU that will be its own.
    rank = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
    device = choose_device(arguments.device, int(rank)).device
    if arguments.workers is None:
        arguments.workers = choose_workers(device, arguments.devices)
    fabric = start_fabric(device, arguments.devices, arguments.nodes)
    if fabric.is_global_zero and not arguments.folds:
        _offer_folds(material.selection)
    failed = 0
    for recipe in recipes:
        try:
            was_interrupted = _train(recipe, material, fabric, arguments)
        except BonescintError as error:
            print(f"{recipe.name}: {error}", file=sys.stderr)
            failed += 1
        else:
            if was_interrupted:
                break
    return 1 if failed else 0


def _estimate(recipes: Sequence[Recipe], arguments: argparse.Namespace) -> int:
    from napari_bonescint.inference.devices import choose_device
    from napari_bonescint.training.runs.time_needed import time_needed

    material = _material(arguments) if arguments.store or arguments.held_out else None
    device = choose_device(arguments.device).device
    for recipe in recipes:
        needed = time_needed(recipe, material, device, arguments.minutes, 1 + (arguments.folds or 0))
        print(f"{recipe.name}: {needed}", flush=True)
    return 0


def _train(recipe: Recipe, material: TrainingData, fabric: Fabric, arguments: argparse.Namespace) -> bool:
    from napari_bonescint.training.runs.run_folder import RunFolder
    from napari_bonescint.training.runs.session import Session, SessionSettings
    from napari_bonescint.training.runs.tensorboard import TensorBoardCurves

    if arguments.folds:
        from napari_bonescint.training.runs.cross_validation import train_with_folds
    folder = arguments.runs / recipe.name
    settings = SessionSettings(arguments.device, arguments.minutes, arguments.workers, arguments.out)
    with ExitStack() as stack:
        sinks: tuple[TensorBoardCurves, ...] = ()
        if arguments.tensorboard and fabric.is_global_zero:
            sinks = (stack.enter_context(closing(TensorBoardCurves(folder / "tensorboard"))),)
        run = RunFolder(folder)
        if arguments.folds:
            return train_with_folds(recipe, material, fabric, run, settings, arguments.folds, sinks)
        return Session(recipe, material, fabric, run, settings, sinks).train()


def _adapted(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """A recipe with what the command line says instead."""
    changes: dict[str, Any] = {"name": arguments.name or recipe.name}
    if arguments.start:
        changes |= {"start": (arguments.start,), "start_partial": ()}
    elif arguments.start_partial:
        changes |= {"start": (), "start_partial": (arguments.start_partial,)}
    return dataclasses.replace(recipe, **changes)


def _material(arguments: argparse.Namespace) -> TrainingData:
    """What to train and to score on, no part of which is both."""
    from napari_bonescint.training.data.training_data import TrainingData

    stores = [LabelStore.open(path) for path in arguments.store]
    held_out: Sequence[Path] = ()
    if arguments.held_out is not None:
        held_out = sorted(arguments.held_out.glob("case_*.npz"))
        if not held_out:
            raise TrainCommandError(f"{arguments.held_out}: holds no cases to score on; simulate some first.")
    elif not stores:
        raise TrainCommandError("There is nothing to score on; give --held-out, or --store.")
    simulated = _simulated(arguments, held_out)
    return TrainingData(_select(stores) if stores else None, simulated, tuple(held_out))


def _offer_folds(selection: Selection | None) -> None:
    """Say that few patients need folds for a verdict."""
    patients = 0 if selection is None else len(patients_in(selection))
    if USUAL_FOLDS <= patients < FEW_PATIENTS:
        print(
            f"There are corrected scans of {patients} patients, which are few for a verdict; --folds {USUAL_FOLDS} "
            f"trains {USUAL_FOLDS} times more and scores all of them.",
            flush=True,
        )


def _select(stores: Sequence[LabelStore]) -> Selection:
    """Take what there is in label stores; thousands of scans that are read for the first time take a while."""
    from napari_bonescint.corrections.selection import select

    form = "{l_bar}{bar}| {remaining} left"
    with tqdm(total=1.0, desc="reading masks", bar_format=form, disable=None, leave=False, file=sys.stderr) as bar:
        return select(stores, lambda fraction: bar.update(fraction - bar.n))


def _simulated(arguments: argparse.Namespace, held_out: Sequence[Path]) -> CaseSource | None:
    from napari_bonescint.simulation.splits import read_splits, seed_of
    from napari_bonescint.training.data.sources import SimulatedCaseFiles, SimulatedStream

    if arguments.simulate:
        if any(read_splits()["training"].holds(seed_of(path)) for path in held_out):
            raise TrainCommandError(
                f"{arguments.held_out}: holds seeds of the training split, which --simulate draws from."
            )
        return SimulatedStream(prepare_geometry(arguments.runs))
    if arguments.cases is None:
        return None
    paths = sorted(arguments.cases.glob("case_*.npz"))
    if shared := {path.name for path in paths} & {path.name for path in held_out}:
        raise TrainCommandError(
            f"{arguments.held_out}: {len(shared)} of its cases are trained on too; use other seeds."
        )
    return SimulatedCaseFiles(paths)


def _recipe_path(text: str) -> Path:
    """A file, or the name of a shipped recipe."""
    path = Path(text)
    if not path.exists() and not path.suffix:
        shipped = shipped_folder("train") / "recipes" / f"{text}.toml"
        if not shipped.exists():
            known = ", ".join(sorted(each.stem for each in shipped.parent.glob("*.toml")))
            raise argparse.ArgumentTypeError(f"there is no recipe {text!r}; give a file, or one of {known}")
        return shipped
    return path


def _folds(text: str) -> int:
    """A number of folds."""
    return argument_types.count(text, 2)


def _name(text: str) -> str:
    """A name that can be a folder's."""
    if not (_NAME.fullmatch(text) and is_file_name(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of letters, digits, dots and dashes")
    return text
