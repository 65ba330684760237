"""The trainer: training steps, averaged weights, and the state for checkpoints."""

from __future__ import annotations

import copy
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.segmenter import is_out_of_memory
from napari_bonescint.networks.fdn import FDN, PhaseSample
from napari_bonescint.networks.zoo import build_network
from napari_bonescint.simulation.case import SIMULATOR
from napari_bonescint.training.data.batches import Batches
from napari_bonescint.training.data.loader import load
from napari_bonescint.training.data.simulated_examples import samples_per_pixel
from napari_bonescint.training.loop.checkpoint import start_from
from napari_bonescint.training.loop.fabric import describe_acceleration, sum_over_processes
from napari_bonescint.training.loop.listener import FinishedTraining, Order, TrainingControl, TrainingProgress
from napari_bonescint.training.loop.losses import segmentation_loss, shares
from napari_bonescint.training.loop.resuming import require_same_recipe, require_same_start, settings_of
from napari_bonescint.training.loop.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lightning_fabric import Fabric
    from torch import Tensor

    from napari_bonescint.networks.dense import DenseNetwork
    from napari_bonescint.training.data.sources import CaseSource
    from napari_bonescint.training.loop.listener import TrainingListener
    from napari_bonescint.training.loop.recipe import Recipe


_POLL_S = 0.2


class TrainingError(BonescintError):
    """Training that cannot start or continue."""


class Trainer:
    """A network in training, which can be saved after any step and resumed.

    Each step depends only on the recipe's seed and the step's number, so a resumed training takes the same steps as an
    uninterrupted one.

    Parameters
    ----------
    recipe : Recipe
    cases : CaseSource
        The training cases.
    fabric : lightning_fabric.Fabric
        Launched, see `fabric.start_fabric`.

    Attributes
    ----------
    network, average : DenseNetwork
        The network, and a copy with the moving average of its weights.
    step : int
        Number of steps done.
    planned : int or None
        Total number of steps once it is fixed; None before.
    start : list of dict
        The models that training started from, see `checkpoint.start_from`.
    history : list of dict
        Parts of the training, for a model card: ``simulator``, number of ``cases`` (None: each was new),
        ``hardware``, ``precision``, ``steps`` and ``minutes``.
    """

    def __init__(self, recipe: Recipe, cases: CaseSource, fabric: Fabric) -> None:
        torch.manual_seed(recipe.seed)
        network = build_network(recipe.architecture, outputs=recipe.outputs)
        splits = len(network.stages) - 1 if isinstance(network, FDN) else 0
        if len(recipe.keep_phases) != splits:
            raise TrainingError(f"keep_phases of {recipe.name} needs {splits} numbers for {recipe.architecture}.")
        if recipe.rows % network.multiple or recipe.columns % network.multiple:
            raise TrainingError(f"rows and columns of {recipe.name} must be multiples of {network.multiple}.")
        if recipe.frozen_stages > len(network.early_stages):
            raise TrainingError(
                f"frozen_stages of {recipe.name} is {recipe.frozen_stages}; {recipe.architecture} has "
                f"{len(network.early_stages)} stages."
            )
        self.start = start_from(network, recipe.start, recipe.start_partial)
        self.network = network.to(fabric.device)
        self._frozen = network.early_stages[: recipe.frozen_stages].requires_grad_(requires_grad=False)
        self.average = copy.deepcopy(self.network).requires_grad_(requires_grad=False)
        self.step = 0
        self.planned: int | None = None
        self.history: list[dict[str, Any]] = []
        self._recipe, self._cases, self._fabric = recipe, cases, fabric
        self._parts = 1
        self._noted: set[str] = set()
        self._listeners: Sequence[TrainingListener] = ()
        self._pass, self._optimiser = fabric.setup(
            _TrainingPass(self.network, recipe.keep_phases),
            torch.optim.Adam(
                [weight for weight in self.network.parameters() if weight.requires_grad], lr=recipe.learning_rate
            ),
        )

    @property
    def minutes(self) -> float:
        """Total time of training, including the time before it was resumed."""
        return float(sum(stretch["minutes"] for stretch in self.history))

    @property
    def schedule(self) -> Schedule:
        """The schedule over the planned steps, or over the recipe's until they are planned."""
        return Schedule(self._recipe, self._recipe.steps if self.planned is None else self.planned)

    def fit(
        self,
        listeners: Sequence[TrainingListener] = (),
        control: TrainingControl | None = None,
        *,
        every: int = 50,
        workers: int = 1,
    ) -> None:
        """Train until the last step.

        Parameters
        ----------
        listeners : sequence of TrainingListener
            They receive all events. An epoch ends every `every` steps and after the last; checkpoints are saved then.
        control : TrainingControl, optional
            Steers the training; the first of several processes decides for all.
        every : int
        workers : int
            Number of worker processes that make examples; 0 makes them in this process.

        Raises
        ------
        TrainingError
            If the loss is not finite, no case can be read, or the device's memory is too small for one view.
        """
        recipe, fabric = self._recipe, self._fabric
        self._listeners, control = listeners, control or TrainingControl()
        data = Batches(
            self._cases,
            max(2, recipe.outputs),
            recipe.grid_mm,
            (recipe.rows, recipe.columns),
            recipe.batch,
            recipe.seed,
            fabric.global_rank,
            finds_hot_spots=not recipe.segments,
        )
        stretch = self._stretch()
        self.network.train()
        self._frozen.eval()
        losses: list[float] = []
        start = last = time.monotonic()
        for batch in load(data, range(self.step, self.schedule.steps), workers):
            order, waited = self._order(control)
            if order is Order.STOP:
                break
            start, last = start + waited, last + waited
            self._note(batch.skipped)
            if len(batch.images) == 0:
                raise TrainingError(f"Too many cases cannot be read; the last: {batch.skipped[-1]}")
            losses.append(self.train_step(batch.images, batch.codes))
            now = time.monotonic()
            if stretch["steps"] == 0:
                self.history.append(stretch)
            stretch["steps"] += 1
            stretch["minutes"] += (now - last) / 60
            last = now
            is_last = self.step >= self.schedule.steps
            if self.step % every == 0 or is_last:
                self._end_epoch(control, losses, now - start)
                losses, start = [], time.monotonic()
            if is_last:
                break

    def _order(self, control: TrainingControl) -> tuple[Order, float]:
        """The order after any pause, and the duration of the pause in seconds."""
        order, began = self._asked(control), time.monotonic()
        if order is not Order.PAUSE:
            return order, 0.0
        self._save()
        for listener in self._listeners:
            listener.on_pause(self.step)
        while (order := self._asked(control)) is Order.PAUSE:
            time.sleep(_POLL_S)
        if order is Order.GO_ON:
            for listener in self._listeners:
                listener.on_resume(self.step)
        return order, time.monotonic() - began

    def _asked(self, control: TrainingControl) -> Order:
        """The order; the first process sends it, with the planned number of steps, to all others."""
        order = control.order()
        if order is Order.GO_ON and self.planned is None and (plan := control.plan(self.step)) is not None:
            self.planned = plan.steps
            # Saved at once, so it is never estimated again.
            self._save()
            for listener in self._listeners:
                listener.on_plan(plan)
        order, self.planned = self._fabric.broadcast((order, self.planned))
        return order

    def _end_epoch(self, control: TrainingControl, losses: Sequence[float], seconds: float) -> None:
        """Report the progress of an epoch, and save a checkpoint."""
        schedule, step, batch = self.schedule, self.step, self._recipe.batch * self._fabric.world_size
        rate = len(losses) * batch / seconds
        needed = (schedule.steps - step) * batch / rate
        progress = TrainingProgress(
            step=step,
            steps=schedule.steps,
            loss=sum(losses) / len(losses),
            learning_rate=schedule.learning_rate(step),
            views_per_second=rate,
            seconds_left=control.seconds_left(
                needed, schedule.validations_after(step), planned=self.planned is not None
            ),
        )
        for listener in self._listeners:
            listener.on_train_epoch_end(progress)
        # Last, so a training that is killed before validates this step again.
        self._save()
        self.network.train()
        self._frozen.eval()

    def _save(self) -> None:
        for listener in self._listeners:
            listener.save_checkpoint()

    def train_step(self, image: Tensor, codes: Tensor) -> float:
        """One step of Adam.

        Parameters
        ----------
        image : Tensor of shape (batch, channel, y, x)
        codes : Tensor of uint8, shape (batch, samples * y, samples * x)
            Class of evenly spaced samples of each pixel, see `simulated_examples.samples_per_pixel`.

        Returns
        -------
        float
            The loss.

        Raises
        ------
        TrainingError
            If the loss is not finite, or the device's memory is too small for one view; the weights are unchanged.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = self.schedule.learning_rate(self.step)
        value = self._backward(image, codes)
        norm = self._fabric.clip_gradients(self._pass, self._optimiser, max_norm=1.0, error_if_nonfinite=False)
        if norm is None or not math.isfinite(norm):
            raise TrainingError(f"The gradient is {norm} at step {self.step}; lower the learning rate.")
        self._optimiser.step()
        self.step += 1
        # The decay is smaller during the first steps, so the average does not keep the random start.
        decay = min(self._recipe.average, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(current, 1 - decay)
            for statistic, current_statistic in zip(self.average.buffers(), self.network.buffers(), strict=True):
                statistic.copy_(current_statistic)
        return value

    def _backward(self, image: Tensor, codes: Tensor) -> float:
        """Compute the loss and its gradients, in parts if the batch does not fit into memory."""
        while True:
            try:
                self._optimiser.zero_grad()
                return self._backward_in_parts(image, codes)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if self._fabric.world_size > 1:
                    raise TrainingError(
                        f"{self._fabric.device} ran out of memory; halve the recipe's batch."
                    ) from error
                if self._parts >= len(image):
                    raise TrainingError(
                        f"{self._fabric.device} has too little memory for a single view; train on another device."
                    ) from error
            # Outside the handler: the exception keeps the tensors of its frames in memory.
            self._parts = min(2 * self._parts, len(image))
            if self._fabric.device.type == "cuda":
                torch.cuda.empty_cache()
            size = -(-len(image) // self._parts)
            self._note(
                [f"{self._fabric.device} ran out of memory; each step is now computed in parts of {size} views."]
            )

    def _backward_in_parts(self, image: Tensor, codes: Tensor) -> float:
        recipe, device = self._recipe, self._fabric.device
        phases = self._phases()
        total = 0.0
        parts = zip(image.chunk(self._parts), codes.chunk(self._parts), strict=True)
        for part, part_codes in parts:
            target = shares(part_codes.to(device), max(2, recipe.outputs), samples_per_pixel(recipe.grid_mm))
            logits, sample = self._pass(part.to(device), phases)
            target = target if sample is None else sample.pick(target)
            loss = segmentation_loss(logits, target, recipe.dice_weight, self._over_all) * (len(part) / len(image))
            value = float(loss.detach())
            if not math.isfinite(value):
                raise TrainingError(f"The loss is {value} at step {self.step}; lower the learning rate.")
            self._fabric.backward(loss)
            total += value
        return total

    def _over_all(self, sums: Tensor) -> Tensor:
        """Sum over all processes, with the full gradient for each: gradients are averaged afterwards."""
        return sums if self._fabric.world_size == 1 else sum_over_processes(sums)

    def _note(self, sentences: Sequence[str]) -> None:
        for sentence in sentences:
            if sentence not in self._noted:
                self._noted.add(sentence)
                for listener in self._listeners:
                    listener.on_note(sentence)

    def state(self) -> dict[str, Any]:
        """The state for `restore`: tensors, numbers and texts only."""
        return {
            "recipe": settings_of(self._recipe),
            "step": self.step,
            "planned": self.planned,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "start": self.start,
            "history": self.history,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from a result of `state`.

        Raises
        ------
        CannotResume
            If the recipe or the initial weights differ.
        """
        require_same_recipe(state["recipe"], self._recipe)
        require_same_start(state.get("start", []), self.start)
        self.step = state["step"]
        # Earlier versions had no plan, and trained the recipe's steps.
        self.planned = state.get("planned", self._recipe.steps)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.start = state.get("start", self.start)
        self.history = copy.deepcopy(state.get("history", []))

    def finished(self, best: Mapping[str, Any] | None = None) -> FinishedTraining:
        """The final weights: the averaged ones, or the best ones from `BestWeights.read`."""
        network, step, dice = self.average, self.step, None
        if best is not None:
            network, step, dice = copy.deepcopy(network), best["step"], best["dice"]
            network.load_state_dict(best["average"])
        stopped = self.step < self.schedule.steps
        return FinishedTraining(network, step, dice, self.step, stopped, self.minutes, self.start, self.history)

    def _phases(self) -> torch.Generator:
        """The random generator for the phases that this process computes in this step."""
        seed = np.random.SeedSequence((self._recipe.seed, self._fabric.global_rank, self.step))
        return torch.Generator().manual_seed(int(seed.generate_state(1, np.uint64)[0] >> 1))

    def _stretch(self) -> dict[str, Any]:
        """The last entry of `history` if its data and hardware are the present ones; otherwise a new entry."""
        present = {
            "simulator": SIMULATOR,
            "cases": self._cases.number,
            "hardware": describe_acceleration(self._fabric),
            "precision": self._fabric.strategy.precision.precision,
        }
        if self.history and {**self.history[-1], **present} == self.history[-1]:
            return self.history[-1]
        return {**present, "steps": 0, "minutes": 0.0}


class _TrainingPass(nn.Module):
    """The forward pass of training: the whole network, or a random subset of a dilated net's phases."""

    def __init__(self, network: DenseNetwork, keep_phases: Sequence[int]) -> None:
        super().__init__()
        self.network = network
        self._keep_phases = keep_phases

    def forward(self, image: Tensor, phases: torch.Generator) -> tuple[Tensor, PhaseSample | None]:
        """Logits, and the sample that selects the same pixels from the truth."""
        if isinstance(self.network, FDN):
            return self.network.forward_sampled(image, self._keep_phases, phases)
        return self.network(image), None
