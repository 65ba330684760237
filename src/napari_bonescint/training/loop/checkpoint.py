"""Checkpoints of a training, and finished weights, on disk."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.atomic import write_bytes_atomically
from napari_bonescint.inference.model_card import ModelCard, ModelError, read_card
from napari_bonescint.inference.model_registry import find_model
from napari_bonescint.inference.preprocessing import HOT_SPOT_NORMALISATION, NORMALISATION
from napari_bonescint.inference.weights import read_tensors
from napari_bonescint.networks.zoo import count_parameters
from napari_bonescint.training.loop.resuming import require_same_material

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from napari_bonescint.training.loop.recipe import Recipe


class CheckpointError(BonescintError):
    """A checkpoint that is damaged or cannot be resumed."""


def save_checkpoint(state: Mapping[str, Any], path: Path, **about: object) -> None:
    """Write a checkpoint from which a training can be resumed, atomically.

    Parameters
    ----------
    state : mapping
        A result of `Trainer.state`.
    path : Path
    **about
        More texts and numbers for the checkpoint, such as hashes of the training data.

    Raises
    ------
    CheckpointError
        If a weight is not finite; the previous checkpoint is kept.
    CannotWrite
        If the disk is full or not writable; the previous checkpoint is kept.
    """
    weights = (*state["network"].values(), *state["average"].values())
    if not all(bool(torch.isfinite(weight).all()) for weight in weights):
        raise CheckpointError(f"A weight is not finite after step {state['step']}; lower the learning rate.")
    buffer = io.BytesIO()
    torch.save({**state, **about}, buffer)
    write_bytes_atomically(path, buffer.getvalue())


def read_checkpoint(path: Path, material: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Read a checkpoint for `Trainer.restore`; None if the file does not exist.

    Parameters
    ----------
    path : Path
    material : mapping, optional
        The present training data, see `resuming.identity_of`, to compare with the checkpoint's.

    Raises
    ------
    CheckpointError
        If the file is damaged.
    CannotResume
        If the training data differ.
    """
    if not path.exists():
        return None
    state = read_torch(path)
    if material is not None and "material" in state:
        require_same_material(state["material"], material)
    return state


def read_torch(path: Path) -> dict[str, Any]:
    """Read tensors, numbers and texts from a file of `torch.save`, without running code in it.

    Raises
    ------
    CheckpointError
        If the file is damaged or holds other types.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many types for damaged files
        raise CheckpointError(f"{path}: is damaged; delete it to train without it.") from error
    return state


def start_from(network: nn.Module, models: Sequence[str], partial: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Copy the weights of other models into a network.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place.
    models : sequence of str
        Names for `find_model`. Each model must have exactly the network's tensors, by name and shape.
    partial : sequence of str
        Names of models of which only tensors with fitting name and shape are copied, at least one of each model. They
        are copied first; later models overwrite earlier ones.

    Returns
    -------
    list of dict
        For a model card: each model's name, ``weights_sha256``, number of copied ``tensors``, and ``of``, the number of
        the network's tensors.

    Raises
    ------
    ModelError
        If a model does not exist or does not fit.
    """
    own = network.state_dict()
    copied = []
    for name, must_fit in (*((name, False) for name in partial), *((name, True) for name in models)):
        card = find_model(name)
        given = read_tensors(card.read_weights())
        fitting = {key: value for key, value in given.items() if key in own and own[key].shape == value.shape}
        if must_fit and not len(fitting) == len(own) == len(given):
            raise ModelError(_misfit(name, own, given, len(fitting)))
        if not fitting:
            raise ModelError(f"No layer of model {name} fits this network by name and shape; start without this model.")
        network.load_state_dict(fitting, strict=False)
        copied.append(
            {"model": card.name, "weights_sha256": card.weights_sha256, "tensors": len(fitting), "of": len(own)}
        )
    return copied


def _misfit(name: str, own: Mapping[str, Tensor], given: Mapping[str, Tensor], fitting: int) -> str:
    """One sentence with the reason why a network cannot start from a model."""
    shapes = [{key: tuple(value.shape) for key, value in tensors.items()} for tensors in (own, given)]
    key = next(key for key in (*own, *given) if shapes[0].get(key) != shapes[1].get(key))
    has, wanted = (str(shape[key]) if key in shape else "missing" for shape in reversed(shapes))
    return (
        f"Model {name} has {len(given)} tensors, of which {fitting} fit the {len(own)} of this network (the first that "
        f"does not fit is {key}: {has} in the model, {wanted} here); choose a recipe for the network of this model, "
        "start from another model, or use --start-partial for those that fit."
    )


def publish(network: nn.Module, recipe: Recipe, folder: Path, training: dict[str, Any], limits: list[str]) -> ModelCard:
    """Write weights in half precision and their model card, without scores.

    Parameters
    ----------
    network : torch.nn.Module
        The trained network.
    recipe : Recipe
    folder : Path
        Folder for NAME.safetensors and NAME.json.
    training : dict
        Method and data of the training, for the card.
    limits : list of str
        Known weaknesses, for the card.
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
        normalisation=NORMALISATION if recipe.segments else HOT_SPOT_NORMALISATION,
        weights_sha256=hashlib.sha256(data).hexdigest(),
        mirrored=recipe.mirrored,
        training=training,
        limits=limits,
        purpose=recipe.purpose,
    )
    write_bytes_atomically(folder / f"{recipe.name}.safetensors", data)
    return write_card(card, folder)


def write_card(card: ModelCard, folder: Path) -> ModelCard:
    """Write a model card and read it back."""
    path = folder / f"{card.name}.json"
    write_bytes_atomically(path, card.to_json().encode())
    return read_card(path)
