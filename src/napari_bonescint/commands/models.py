"""`bonescint models`: list the models, and choose the one in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.inference.model_card import DEFAULTS, FINDING_HOT_SPOTS, ModelCard, ModelError, shipped_models
from napari_bonescint.inference.model_registry import accepted_models, current_model, label, use
from napari_bonescint.text.formatting import table_lines
from napari_bonescint.text.plain_output import one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

_DESCRIPTION = """\
List the models of this installation and the models that were accepted later. * marks the models in use: napari,
`bonescint segment` and `bonescint measure` use one that segments and one that finds hot spots. Accepted models stay in
the list.
INT8 is the change of Dice with eight-bit integers on a CPU, HALF with float16 on a GPU. Neither is used if 0.002 Dice
or more is lost.
"""

_EXAMPLES = """\
examples:
  bonescint models
  bonescint models --use runs/quick/quick.safetensors
  bonescint models --use phase-u-net-regions
"""

_HEADINGS = ("", "NAME", "ARCHITECTURE", "PARAMETERS", "OUTPUTS", "GRID", "FILE", "INT8", "HALF", "SCORES")


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `bonescint models`."""
    parser = argument_types.add_command(
        subcommands, "models", "list the models, and choose which one is in use", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument(
        "--use",
        metavar="NAME|FILE",
        type=argument_types.model,
        help="use this model from now on; a .safetensors file is copied, with the card beside it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Change the model in use, if one is named, and print the table; returns the exit status."""
    if arguments.use is not None:
        use(arguments.use)
    current = []
    for purpose in DEFAULTS:
        try:
            current.append(current_model(purpose))
        except ModelError as error:
            # The user needs the list to choose another model.
            print_error(f"warning: {error}")
    cards = [card for purpose in DEFAULTS for card in (*accepted_models(purpose), *shipped_models(purpose))]
    print("\n".join(table(cards, current)))
    return 0


def table(cards: Iterable[ModelCard], current: Sequence[ModelCard] = ()) -> list[str]:
    """A table of models as lines; each score of a model's card has its own line, and `*` marks the current models."""
    rows: list[tuple[str, ...]] = [_HEADINGS]
    for card in cards:
        first, *others = [_score(score) for score in card.scores] or ["not measured"]
        rows.append(("*" if card in current else "", label(card), *_facts(card), first))
        rows += [("",) * (len(_HEADINGS) - 1) + (score,) for score in others]
    return table_lines([tuple(map(one_line, row)) for row in rows])


def _facts(card: ModelCard) -> tuple[str, ...]:
    return (
        card.architecture,
        f"{card.parameters:,}",
        _outputs(card),
        f"{card.grid_mm:g} mm",
        _size(card),
        "" if card.int8 is None else _cost(card.int8.dice_lost, card.supports_int8),
        "" if card.half is None else _cost(card.half.dice_lost, card.supports_half),
    )


def _outputs(card: ModelCard) -> str:
    if card.purpose == FINDING_HOT_SPOTS:
        return "hot spots"
    return f"{card.outputs - 1} regions" if card.names_regions else "skeleton"


def _size(card: ModelCard) -> str:
    try:
        return f"{card.size / 1e6:.1f} MB"
    except ModelError:
        return "missing"


def _cost(dice_lost: float, is_used: bool) -> str:
    """Change of Dice by a lower precision: ``-0.0004 Dice``."""
    return f"{-dice_lost:+.4f} Dice{'' if is_used else ', not used'}"


def _score(score: Mapping[str, Any]) -> str:
    """A score of a model card as text: ``skeleton Dice 0.912 ± 0.020, simulated test set, 40 scans``."""
    spread = f" ± {score['spread']:.3f}" if score.get("spread") is not None else ""
    return f"{score['metric']} {score['value']:.3f}{spread}, {score['data']}, {score['scans']} scans"
