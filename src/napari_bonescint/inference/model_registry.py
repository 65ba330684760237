"""Models that the user has accepted, and which model serves the next click.

    MODELS/
      NAME-HASH8/NAME.safetensors, NAME.json    an accepted model; HASH8 begins the hash of its weights
      current                                   which model is in use, in JSON; absent: the shipped default

MODELS is the folder ``models`` in the user's own data folder, or what the environment variable BONESCINT_MODELS names.
A model is there as a whole or not at all, and never changes once it is.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from napari_bonescint.atomic import CannotWrite, write_bytes_atomically, write_folder_atomically
from napari_bonescint.facts import build, one_sentence, read_json
from napari_bonescint.inference.model_card import DEFAULT_MODEL, ModelError, read_card, shipped_models

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard

FOLDER_VARIABLE = "BONESCINT_MODELS"

_CURRENT = "current"
_HASH_DIGITS = 8


def shelf_folder() -> Path:
    """Where accepted models lie; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("napari-bonescint", appauthor=False)) / "models"


def accept(card: ModelCard) -> ModelCard:
    """Put a copy of a model on the shelf; one that is there already stays as it is.

    Returns
    -------
    ModelCard
        The card of the copy.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or not what the card says.
    CannotWrite
        If the shelf is full or not writable; nothing was added.
    """
    folder = shelf_folder() / _folder_name(card)
    if not _holds(folder, card):
        files = {f"{card.name}.safetensors": card.read_weights(), f"{card.name}.json": card.to_json().encode()}
        try:
            write_folder_atomically(folder, files)
        except CannotWrite:
            # Another process may have accepted the same model meanwhile.
            if not _holds(folder, card):
                raise
    return read_card(folder / f"{card.name}.json")


def accepted_models() -> list[ModelCard]:
    """Cards of the accepted models, the newest first; those that are damaged are left out.

    Raises
    ------
    ModelError
        If the shelf cannot be looked into.
    """
    folder = shelf_folder()
    cards: list[tuple[int, str, ModelCard]] = []
    try:
        paths = [path for path in folder.glob("*/*.json") if not path.parent.name.startswith(".")]
    except OSError as error:
        raise ModelError(f"{folder}: cannot be looked into ({error.strerror}).") from error
    for path in paths:
        with suppress(ModelError, OSError):
            cards.append((path.stat().st_mtime_ns, path.name, read_card(path)))
    return [card for *_, card in sorted(cards, key=lambda card: card[:2], reverse=True)]


def current_model() -> ModelCard:
    """The model that serves the next click: the one last put to use, or the shipped default.

    Raises
    ------
    ModelError
        If the one put to use is gone or damaged.
    """
    path = shelf_folder() / _CURRENT
    with one_sentence(
        lambda _reason: ModelError(f"{path}: does not name a model; choose one with `bonescint models --use`."),
        unreadable=lambda reason: ModelError(f"{path}: cannot be read: {reason}."),
    ):
        try:
            name = build(_Current, read_json(path)).model
        except FileNotFoundError:
            name = DEFAULT_MODEL
    return _known_model(name)


@dataclass(frozen=True)
class _Current:
    """What the file says."""

    model: str


def use(card: ModelCard) -> ModelCard:
    """Have a model serve the next click; one that is neither shipped nor accepted is accepted first.

    Parameters
    ----------
    card : ModelCard
        A newly trained model, an older accepted one, or a shipped one.

    Returns
    -------
    ModelCard
        The card of the model in use.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or not what the card says.
    CannotWrite
        If the shelf is full or not writable; the model in use is the one before.
    """
    if card not in shipped_models():
        card = accept(card)
    card.read_weights()
    folder = shelf_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be made ({error.strerror}).") from error
    write_bytes_atomically(folder / _CURRENT, json.dumps({"model": label(card)}).encode())
    return card


def label(card: ModelCard) -> str:
    """What to call a model in a list: NAME-HASH8 if its card was read from the shelf, since names recur there."""
    on_shelf = card.path is not None and card.path.parent.parent == shelf_folder()
    return _folder_name(card) if on_shelf else card.name


def find_model(name: str) -> ModelCard:
    """The card of a shipped or an accepted model, or of a weights file.

    Parameters
    ----------
    name : str
        The name of a shipped model; or NAME-HASH8 or NAME of an accepted one, of several the newest; or the path of a
        ``.safetensors`` file whose card lies beside it.

    Raises
    ------
    ModelError
        If there is no such model; the message lists those that there are.
    """
    if name.endswith((".safetensors", ".json")):
        return read_card(Path(name).with_suffix(".json"))
    return _known_model(name)


def _known_model(name: str) -> ModelCard:
    """The card of a shipped or an accepted model, by its name."""
    accepted, shipped = accepted_models(), {card.name: card for card in shipped_models()}
    whole = {_folder_name(card): card for card in accepted}
    newest = {card.name: card for card in reversed(accepted)}
    found = (newest | whole | shipped).get(name)
    if found is None:
        known = ", ".join([*shipped, *whole])
        raise ModelError(f"There is no model {name!r}; choose one of {known}, or give a .safetensors file.")
    return found


def _folder_name(card: ModelCard) -> str:
    return f"{card.name}-{card.weights_sha256[:_HASH_DIGITS]}"


def _holds(folder: Path, card: ModelCard) -> bool:
    """Whether the shelf has these very weights."""
    path = folder / f"{card.name}.json"
    return path.exists() and read_card(path).weights_sha256 == card.weights_sha256
