"""Check that a training is resumed with the same recipe, start and data, so that a stop does not change its result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import TYPE_CHECKING, Any

from napari_bonescint.errors import BonescintError
from napari_bonescint.simulation.case import SIMULATOR
from napari_bonescint.text.formatting import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_bonescint.training.data.training_data import TrainingData
    from napari_bonescint.training.loop.recipe import Recipe

# The weights to start from are compared by their hashes, because names depend on the computer.
_FREE = {"description", "start", "start_partial"}
_REMEDY = "start a new training (on the command line: another --name)"


class CannotResume(BonescintError):
    """A checkpoint of another training."""


def settings_of(recipe: Recipe) -> dict[str, Any]:
    """The settings that must not change during a training, for a checkpoint."""
    return {name: value for name, value in dataclasses.asdict(recipe).items() if name not in _FREE}


def require_same_recipe(before: Mapping[str, Any], recipe: Recipe) -> None:
    """Compare the settings of a checkpoint with those of a recipe.

    Parameters
    ----------
    before : mapping
        A result of `settings_of`; earlier versions may lack some settings.
    recipe : Recipe

    Raises
    ------
    CannotResume
        If any differ; the message lists them.
    """
    differing = [
        f"{name} {before[name]!r}, not {value!r}"
        for name, value in settings_of(recipe).items()
        if name in before and _plain(before[name]) != _plain(value)
    ]
    if differing:
        raise CannotResume(f"The checkpoint was trained with {'; '.join(differing)}: {_REMEDY}.")


def require_same_start(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> None:
    """Compare the initial weights of a checkpoint's training with those of now, by their hashes.

    Parameters
    ----------
    before, now : sequence of mapping
        See `checkpoint.start_from`.

    Raises
    ------
    CannotResume
        If they differ.
    """
    if [each["weights_sha256"] for each in before] != [each["weights_sha256"] for each in now]:
        raise CannotResume(f"The training started from {_names(before)}, not from {_names(now)}: {_REMEDY}.")


def identity_of(material: TrainingData) -> dict[str, Any]:
    """The data for training and validation as texts and hashes, for a checkpoint.

    Held-out scans and unfinished ones do not count.
    """
    facts: dict[str, Any] = {}
    selection = material.selection
    if selection is not None:
        for verb, scans in (("trains", selection.training), ("validates", selection.validation)):
            facts[f"those that it {verb} on"] = {scan.case: scan.mask_sha256[:16] for scan in scans}
    if material.simulated is not None:
        facts["simulated cases"] = str(material.simulated.sha256())
    if material.held_out_cases:
        facts["seeds held out"] = _hash([path.name for path in material.held_out_cases])
    if material.simulated is not None or material.held_out_cases:
        facts["version of the simulator"] = str(SIMULATOR)
    return facts


def require_same_material(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Compare the data of a checkpoint with the present data.

    Parameters
    ----------
    before, now : mapping
        Results of `identity_of`.

    Raises
    ------
    CannotResume
        If they differ; the message lists the differences.
    """
    differing = [
        _difference(name, before.get(name), now.get(name))
        for name in dict.fromkeys((*before, *now))
        if before.get(name) != now.get(name)
    ]
    if differing:
        raise CannotResume(f"Since this training started, {' and '.join(differing)}: {_REMEDY}.")


def _difference(name: str, before: object, now: object) -> str:
    if isinstance(before, dict) or isinstance(now, dict):
        old, new = (each if isinstance(each, dict) else {} for each in (before, now))
        found = [
            f"{counted(number, 'corrected scan')} {what}"
            for number, what in (
                (len(new.keys() - old.keys()), "added"),
                (len(old.keys() - new.keys()), "removed"),
                (sum(old[case] != new[case] for case in old.keys() & new.keys()), "changed"),
            )
            if number
        ]
        return f"{', '.join(found)} among {name}"
    return f"the {name} changed"


def _names(models: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{each['model']} ({str(each['weights_sha256'])[:8]})" for each in models) or "random weights"


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
