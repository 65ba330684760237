"""The registry of accepted models on the user's computer, and the choice of the current model.

    MODELS/
      NAME-HASH8/NAME.safetensors, NAME.json    an accepted model; HASH8 is the start of the hash of its weights
      current                                   the name of the current model, in JSON; absent: the shipped default
      current-hot-spots                         the same, of the model that finds hot spots

MODELS is the folder ``models`` in the user's data folder, or the folder in the environment variable BONESCINT_MODELS.
A model is written completely or not at all, and never changed afterwards.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from napari_bonescint.files.atomic import CannotWrite, make_folder, write_bytes_atomically, write_folder_atomically
from napari_bonescint.files.facts import build, one_sentence, read_json
from napari_bonescint.inference.model_card import (
    DEFAULTS,
    FINDING_HOT_SPOTS,
    SEGMENTING,
    ModelError,
    read_card,
    require_purpose,
    shipped_models,
)

if TYPE_CHECKING:
    from napari_bonescint.inference.model_card import ModelCard

FOLDER_VARIABLE = "BONESCINT_MODELS"

_CURRENT = {SEGMENTING: "current", FINDING_HOT_SPOTS: "current-hot-spots"}
_HASH_DIGITS = 8


def registry_folder() -> Path:
    """The folder of accepted models; it need not exist."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("napari-bonescint", appauthor=False)) / "models"


def accept(card: ModelCard) -> ModelCard:
    """Copy a model into the registry, unless it is there already.

    Returns
    -------
    ModelCard
        The card of the copy.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or do not fit the card.
    CannotWrite
        If the disk is full or the folder not writable; nothing was added.
    """
    folder = registry_folder() / _folder_name(card)
    if not _holds(folder, card):
        files = {f"{card.name}.safetensors": card.read_weights(), f"{card.name}.json": card.to_json().encode()}
        try:
            write_folder_atomically(folder, files)
        except CannotWrite:
            # Another process may have written the same model meanwhile.
            if not _holds(folder, card):
                raise
    return read_card(folder / f"{card.name}.json")


def accepted_models(purpose: str = SEGMENTING) -> list[ModelCard]:
    """Cards of the accepted models for a purpose, the newest first, without damaged ones.

    Raises
    ------
    ModelError
        If the folder cannot be listed.
    """
    folder = registry_folder()
    cards: list[tuple[int, str, ModelCard]] = []
    try:
        # Folders with a dot are being written, and may be gone while they are looked into.
        paths = list(folder.glob("[!.]*/*.json"))
    except OSError as error:
        raise ModelError(f"{folder}: cannot be listed ({error.strerror}).") from error
    for path in paths:
        with suppress(ModelError, OSError):
            cards.append((path.stat().st_mtime_ns, path.name, read_card(path)))
    newest_first = sorted(cards, key=lambda card: card[:2], reverse=True)
    return [card for *_, card in newest_first if card.purpose == purpose]


def current_model(purpose: str = SEGMENTING) -> ModelCard:
    """The model that serves a purpose for the next scan: the one last passed to `use`, or the shipped default.

    Raises
    ------
    ModelError
        If the model is missing or damaged, or is for another purpose.
    """
    path = registry_folder() / _CURRENT[purpose]
    with one_sentence(
        lambda _reason: ModelError(
            f"{path}: does not name a model; use one of the panel Retrain or `bonescint models`."
        ),
        unreadable=lambda reason: ModelError(f"{path}: cannot be read: {reason}."),
    ):
        try:
            name = build(_Current, read_json(path)).model
        except FileNotFoundError:
            name = DEFAULTS[purpose]
    card = _known_model(name)
    require_purpose(card, purpose)
    return card


@dataclass(frozen=True)
class _Current:
    """Content of the file `current`."""

    model: str


def use(card: ModelCard) -> ModelCard:
    """Make a model the current one for its purpose; accept it first if it is neither shipped nor accepted.

    Parameters
    ----------
    card : ModelCard
        A new, an accepted or a shipped model.

    Returns
    -------
    ModelCard
        The card of the current model.

    Raises
    ------
    ModelError
        If the weights are missing, damaged or do not fit the card.
    CannotWrite
        If the disk is full or the folder not writable; the current model stays the same.
    """
    if card not in shipped_models(card.purpose):
        card = accept(card)
    card.read_weights()
    folder = registry_folder()
    make_folder(folder)
    write_bytes_atomically(folder / _CURRENT[card.purpose], json.dumps({"model": label(card)}).encode())
    return card


def label(card: ModelCard) -> str:
    """A model's name in lists: NAME-HASH8 in the registry, where several models may have one name; otherwise NAME."""
    is_accepted = card.path is not None and card.path.parent.parent == registry_folder()
    return _folder_name(card) if is_accepted else card.name


def find_model(name: str) -> ModelCard:
    """The card of a shipped or an accepted model, or of a weights file.

    Parameters
    ----------
    name : str
        The name of a shipped model; NAME-HASH8 or NAME of an accepted one (the newest of that name); or the path of a
        ``.safetensors`` file with its card beside it.

    Raises
    ------
    ModelError
        If the model does not exist; the message lists all models.
    """
    if name.endswith((".safetensors", ".json")):
        return read_card(Path(name).with_suffix(".json"))
    return _known_model(name)


def _known_model(name: str) -> ModelCard:
    """The card of the shipped or accepted model with this name."""
    accepted = [card for purpose in DEFAULTS for card in accepted_models(purpose)]
    shipped = {card.name: card for purpose in DEFAULTS for card in shipped_models(purpose)}
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
    """True if a folder of the registry holds these weights."""
    path = folder / f"{card.name}.json"
    return path.exists() and read_card(path).weights_sha256 == card.weights_sha256
