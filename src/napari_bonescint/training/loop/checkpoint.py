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
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.preprocessing import NORMALISATION
from napari_bonescint.networks.zoo import count_parameters
from napari_bonescint.training.loop.resuming import require_same_material

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from napari_bonescint.training.loop.recipe import Recipe


class CheckpointError(BonescintError):
    """A state of a training that is damaged or cannot be gone on with."""


def save_checkpoint(state: Mapping[str, Any], path: Path, **about: object) -> None:
    """Write everything that is needed to go on with a training, whole or not at all.

    Parameters
    ----------
    state : mapping
        What `Trainer.state` gave.
    path : Path
    **about
        What else is to stand in it, of texts and numbers: on what is trained, for whoever asks later.

    Raises
    ------
    CheckpointError
        If a weight is no longer a number; what was written before is still there.
    CannotWrite
        If the disk is full or not writable; likewise.
    """
    weights = (*state["network"].values(), *state["average"].values())
    if not all(bool(torch.isfinite(weight).all()) for weight in weights):
        raise CheckpointError(f"A weight is no longer a number at step {state['step']}; lower the learning rate.")
    buffer = io.BytesIO()
    torch.save({**state, **about}, buffer)
    write_bytes_atomically(path, buffer.getvalue())


def read_checkpoint(path: Path, material: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What `Trainer.restore` takes, from a checkpoint; None if there is none.

    Parameters
    ----------
    path : Path
    material : mapping, optional
        What is trained on, see `resuming.identity_of`; compared with the ``material`` that stands in the checkpoint.

    Raises
    ------
    CheckpointError
        If it is damaged.
    CannotResume
        If it is of a training on other scans.
    """
    if not path.exists():
        return None
    state = read_torch(path)
    if material is not None and "material" in state:
        require_same_material(state["material"], material)
    return state


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


def start_from(network: nn.Module, models: Sequence[str], partial: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Copy the weights of other models into a network.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    models : sequence of str
        As `find_model` takes them. Each must fit: the same tensors by name and shape, no more and no fewer.
    partial : sequence of str
        Likewise; of these the tensors are copied whose names and shapes agree, and at least one must. They come before
        the others, later ones over earlier ones.

    Returns
    -------
    list of dict
        For a model card: of each model its name, ``weights_sha256``, how many ``tensors`` were copied, and ``of`` how
        many that the network has.

    Raises
    ------
    ModelError
        If there is no such model, or it does not fit.
    """
    own = network.state_dict()
    copied = []
    for name, must_fit in (*((name, False) for name in partial), *((name, True) for name in models)):
        card = find_model(name)
        given = load(card.read_weights())
        fitting = {key: value for key, value in given.items() if key in own and own[key].shape == value.shape}
        if must_fit and not len(fitting) == len(own) == len(given):
            raise ModelError(_misfit(name, own, given, len(fitting)))
        if not fitting:
            raise ModelError(f"No layer of model {name} has the name and shape of one of this network; start without.")
        network.load_state_dict(fitting, strict=False)
        copied.append(
            {"model": card.name, "weights_sha256": card.weights_sha256, "tensors": len(fitting), "of": len(own)}
        )
    return copied


def _misfit(name: str, own: Mapping[str, Tensor], given: Mapping[str, Tensor], fitting: int) -> str:
    """Why a model is none to begin from, in a sentence."""
    shapes = [{key: tuple(value.shape) for key, value in tensors.items()} for tensors in (own, given)]
    key = next(key for key in (*own, *given) if shapes[0].get(key) != shapes[1].get(key))
    has, wanted = (str(shape[key]) if key in shape else "missing" for shape in reversed(shapes))
    return (
        f"Of the {len(own)} tensors of this network {fitting} fit model {name}, which has {len(given)} (the first that "
        f"does not is {key}: {has}, and {wanted} here); begin with another model, or with --start-partial from what "
        "fits."
    )


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
        parameters=count_parameters(network),
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
