"""Training states and finished weights on disk."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load, save

from napari_bonescint.atomic import write_bytes_atomically
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import ModelCard, ModelError, read_card
from napari_bonescint.inference.model_shelf import find_model
from napari_bonescint.inference.preprocessing import NORMALISATION

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from napari_bonescint.training.fit import Trainer
    from napari_bonescint.training.recipe import Recipe


class CheckpointError(BonescintError):
    """A state of a training that is damaged or cannot be gone on with."""


def save_checkpoint(trainer: Trainer, path: Path, *, data_sha256: str = "") -> None:
    """Write everything that is needed to go on with a training, whole or not at all.

    Parameters
    ----------
    trainer : Trainer
    path : Path
    data_sha256 : str
        Hash of the manifest of what is trained on, for whoever asks later.

    Raises
    ------
    CheckpointError
        If a weight is no longer a number; what was written before is still there.
    CannotWrite
        If the disk is full or not writable; likewise.
    """
    weights = (*trainer.network.state_dict().values(), *trainer.average.state_dict().values())
    if not all(bool(torch.isfinite(weight).all()) for weight in weights):
        raise CheckpointError(f"A weight is no longer a number at step {trainer.step}; lower the learning rate.")
    buffer = io.BytesIO()
    torch.save({**trainer.state(), "data_sha256": data_sha256}, buffer)
    write_bytes_atomically(path, buffer.getvalue())


def resume(trainer: Trainer, path: Path) -> bool:
    """Go on from a checkpoint if there is one, and say whether there was."""
    if not path.exists():
        return False
    trainer.restore(read_torch(path))
    return True


def read_torch(path: Path) -> dict[str, Any]:
    """Tensors, numbers and texts that `torch.save` wrote; never anything that runs code.

    Raises
    ------
    CheckpointError
        If the file is damaged or holds anything else.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever its parser trips over
        raise CheckpointError(f"{path}: is damaged; delete it, and training does without.") from error
    return state


def start_from(network: nn.Module, models: Sequence[str]) -> list[dict[str, Any]]:
    """Copy the weights of other models into a network, where names and shapes agree.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    models : sequence of str
        As `find_model` takes them; later ones are copied over earlier ones.

    Returns
    -------
    list of dict
        For a model card: of each model its name, ``weights_sha256`` and how many ``tensors`` were copied.

    Raises
    ------
    ModelError
        If there is no such model, or nothing of it fits the network.
    """
    own = network.state_dict()
    copied = []
    for name in models:
        card = find_model(name)
        fitting = {
            key: value
            for key, value in load(card.read_weights()).items()
            if key in own and own[key].shape == value.shape
        }
        if not fitting:
            raise ModelError(f"No layer of model {name} has the name and shape of one of this network; start without.")
        network.load_state_dict(fitting, strict=False)
        copied.append({"model": card.name, "weights_sha256": card.weights_sha256, "tensors": len(fitting)})
    return copied


def publish(network: nn.Module, recipe: Recipe, folder: Path, training: dict[str, Any], limits: list[str]) -> ModelCard:
    """Write weights in half precision and their model card, without scores yet.

    Parameters
    ----------
    network : torch.nn.Module
        Trained.
    recipe : Recipe
    folder : Path
        Gets NAME.safetensors and NAME.json.
    training : dict
        How and on what it was trained.
    limits : list of str
        What it is not good at.
    """
    state = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    data = save(state)
    card = ModelCard(
        name=recipe.name,
        description=recipe.description,
        architecture=recipe.architecture,
        outputs=recipe.outputs,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        grid_mm=recipe.grid_mm,
        normalisation=NORMALISATION,
        weights_sha256=hashlib.sha256(data).hexdigest(),
        mirrored=recipe.mirrored,
        training=training,
        limits=limits,
    )
    write_bytes_atomically(folder / f"{recipe.name}.safetensors", data)
    return write_card(card, folder)


def write_card(card: ModelCard, folder: Path) -> ModelCard:
    """Write a model card and read it back."""
    path = folder / f"{card.name}.json"
    write_bytes_atomically(path, card.to_json().encode())
    return read_card(path)
