"""The fit loop: steps, moving average, checkpoints, resume."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import DataLoader

from napari_bonescint.errors import BonescintError
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.zoo import build_network
from napari_bonescint.training.dataset import SimulatedViews, samples_per_pixel
from napari_bonescint.training.losses import segmentation_loss, shares

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

    from napari_bonescint.training.recipe import Recipe


class TrainingError(BonescintError):
    """Training that cannot begin or go on."""


@dataclass(frozen=True)
class Progress:
    """Told after each stretch of steps.

    Attributes
    ----------
    step : int
        Steps done since the beginning of training.
    loss : float
        Mean over the stretch.
    learning_rate : float
    views_per_second : float
    """

    step: int
    loss: float
    learning_rate: float
    views_per_second: float


class Trainer:
    """A network in training, which can be saved after any step and resumed.

    Parameters
    ----------
    recipe : Recipe
    cases : sequence of Path
        Case files to train on.
    device : str
        Name that torch understands.
    """

    def __init__(self, recipe: Recipe, cases: Sequence[Path], device: str) -> None:
        if not cases:
            raise TrainingError("There are no cases to train on; simulate some first.")
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.architecture, outputs=recipe.outputs)
        multiple = network.multiple
        if not isinstance(multiple, int):
            raise TypeError("a network says to which multiple it pads")
        splits = len(network.stages) - 1 if isinstance(network, FDN) else 0
        if len(recipe.keep_phases) != splits:
            raise TrainingError(f"keep_phases of {recipe.name} needs {splits} numbers for {recipe.architecture}.")
        if recipe.rows % multiple or recipe.columns % multiple:
            raise TrainingError(f"rows and columns of {recipe.name} must be multiples of {multiple}.")
        self.network = network.to(device)
        self.average = copy.deepcopy(self.network).requires_grad_(requires_grad=False)
        self.step = 0
        self._recipe, self._cases, self._device = recipe, cases, torch.device(device)
        self._optimiser = torch.optim.Adam(self.network.parameters(), lr=recipe.learning_rate)
        self._phases = torch.Generator().manual_seed(recipe.seed)

    def fit(self, *, until: float, on_progress: Callable[[Progress], None], every: int = 50, workers: int = 1) -> None:
        """Train until the recipe's last step or a time.

        Parameters
        ----------
        until : float
            Time, as `time.monotonic` gives it, after which no step begins.
        on_progress : callable
            Told every `every` steps; a good place to save.
        every : int
        workers : int
            Processes that make examples; 0 makes them in this one.

        Raises
        ------
        TrainingError
            If the loss is no longer a number.
        """
        recipe = self._recipe
        classes = max(2, recipe.outputs)
        # Examples are random and endless: after a resume others come, never the same ones again.
        data = SimulatedViews(
            self._cases, classes, recipe.grid_mm, (recipe.rows, recipe.columns), recipe.seed + self.step
        )
        loader = DataLoader(data, batch_size=recipe.batch, num_workers=workers, drop_last=True)
        self.network.train()
        losses: list[float] = []
        start = time.monotonic()
        for image, codes in loader:
            if self.step >= recipe.steps or time.monotonic() >= until:
                break
            losses.append(self.train_step(image, codes))
            if self.step % every == 0 or self.step == recipe.steps:
                mean = sum(losses) / len(losses)
                rate = len(losses) * recipe.batch / (time.monotonic() - start)
                on_progress(Progress(self.step, mean, self._learning_rate(), rate))
                losses, start = [], time.monotonic()

    def train_step(self, image: Tensor, codes: Tensor) -> float:
        """One step of Adam.

        Parameters
        ----------
        image : Tensor of shape (batch, 1, y, x)
        codes : Tensor of uint8, shape (batch, samples * y, samples * x)
            Class of evenly spaced samples of each pixel, see `dataset.samples_per_pixel`.

        Returns
        -------
        float
            The loss.

        Raises
        ------
        TrainingError
            If the loss is no longer a number; the weights are those of before.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate()
        recipe = self._recipe
        image = image.to(self._device)
        target = shares(codes.to(self._device), max(2, recipe.outputs), samples_per_pixel(recipe.grid_mm))
        if isinstance(self.network, FDN):
            logits, sample = self.network.forward_sampled(image, recipe.keep_phases, self._phases)
            target = sample.pick(target)
        else:
            logits = self.network(image)
        loss = segmentation_loss(logits, target, recipe.dice_weight)
        value = loss.item()
        if not math.isfinite(value):
            raise TrainingError(f"The loss is {value} at step {self.step}; lower the learning rate.")
        self._optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        # A young average forgets faster, so that it does not remember the random start.
        decay = min(self._recipe.average, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(current, 1 - decay)
            for statistic, current_statistic in zip(self.average.buffers(), self.network.buffers(), strict=True):
                statistic.copy_(current_statistic)
        return value

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs: tensors, numbers and texts only."""
        return {
            "recipe": self._fixed_settings(),
            "step": self.step,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "phases": self._phases.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        for name, value in self._fixed_settings().items():
            if (other := state["recipe"].get(name)) != value:
                raise TrainingError(f"The checkpoint was trained with {name} {other!r}, the recipe says {value!r}.")
        self.step = state["step"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._phases.set_state(state["phases"])

    def _fixed_settings(self) -> dict[str, Any]:
        """What may not change between a checkpoint and the training that goes on from it."""
        names = ("name", "architecture", "outputs", "grid_mm", "rows", "columns")
        return {name: getattr(self._recipe, name) for name in names}

    def _learning_rate(self) -> float:
        recipe = self._recipe
        if self.step < recipe.warm_up:
            return recipe.learning_rate * (self.step + 1) / recipe.warm_up
        done = (self.step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
        return recipe.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))
