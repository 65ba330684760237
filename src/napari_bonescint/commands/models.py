"""`bonescint models`: what can be given to --model, and which of them is in use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from napari_bonescint.commands import argument_types
from napari_bonescint.inference.model_card import ModelCard, ModelError, shipped_models
from napari_bonescint.inference.model_registry import accepted_models, current_model, label, use
from napari_bonescint.plain_output import one_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping
    from typing import Any

_DESCRIPTION = """\
List the models that come with this installation and those that were accepted since; * marks the one in use, which
serves the next click in napari and `bonescint segment`. Accepted models stay, whichever is in use.
INT8 tells what eight-bit integers on a CPU change, HALF what float16 on a GPU does; neither is used where 0.002 Dice or
more is lost.
"""

_EXAMPLES = """\
examples:
  bonescint models
  bonescint models --use runs/quick/quick.safetensors
  bonescint models --use phase-u-net-regions
"""

_HEADINGS = ("", "NAME", "ARCHITECTURE", "PARAMETERS", "OUTPUTS", "GRID", "FILE", "INT8", "HALF", "SCORES")


def add_to(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """State the arguments of `bonescint models`."""
    parser = argument_types.add_command(
        subcommands, "models", "list the models, and choose which one is in use", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument(
        "--use",
        metavar="NAME|FILE",
        type=argument_types.model,
        help="have this model serve from now on; a .safetensors file is copied, with the card beside it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Put a model to use if one is named, and print the table."""
    if arguments.use is not None:
        use(arguments.use)
    current = None
    try:
        current = current_model()
    except ModelError as error:
        # The list is what helps out of it.
        print(f"warning: {error}", file=sys.stderr)
    print("\n".join(table([*accepted_models(), *shipped_models()], current)))
    return 0


def table(cards: Iterable[ModelCard], current: ModelCard | None = None) -> list[str]:
    """Lines of a table of models, each with the scores on its card below one another; the current one has a mark."""
    rows: list[tuple[str, ...]] = [_HEADINGS]
    for card in cards:
        first, *others = [_score(score) for score in card.scores] or ["not measured"]
        rows.append(("*" if card == current else "", label(card), *_facts(card), first))
        rows += [("",) * (len(_HEADINGS) - 1) + (score,) for score in others]
    rows = [tuple(map(one_line, row)) for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _facts(card: ModelCard) -> tuple[str, ...]:
    return (
        card.architecture,
        f"{card.parameters:,}",
        f"{card.outputs - 1} regions" if card.names_regions else "skeleton",
        f"{card.grid_mm:g} mm",
        _size(card),
        "" if card.int8 is None else _cost(card.int8.dice_lost, card.supports_int8),
        "" if card.half is None else _cost(card.half.dice_lost, card.supports_half),
    )


def _size(card: ModelCard) -> str:
    try:
        return f"{card.size / 1e6:.1f} MB"
    except ModelError:
        return "missing"


def _cost(dice_lost: float, is_used: bool) -> str:
    """What computing less exactly changes: ``-0.0004 Dice``."""
    return f"{-dice_lost:+.4f} Dice{'' if is_used else ', not used'}"


def _score(score: Mapping[str, Any]) -> str:
    """One entry of a card's scores as text: ``skeleton Dice 0.912 ± 0.020, simulated test set, 40 scans``."""
    spread = f" ± {score['spread']:.3f}" if score.get("spread") is not None else ""
    return f"{score['metric']} {score['value']:.3f}{spread}, {score['data']}, {score['scans']} scans"
