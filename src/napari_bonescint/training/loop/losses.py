"""The training loss: cross-entropy plus soft Dice, on pixels of sampled phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_bonescint.training.data.counted_examples import UNNAMED_BONE
from napari_bonescint.training.data.simulated_examples import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable


def shares(codes: Tensor, classes: int, samples: int) -> Tensor:
    """Share of each class in each pixel: (batch, class, y, x), from codes (batch, samples * y, samples * x).

    If the codes contain `UNNAMED_BONE`, it becomes one more class, the last. `UNKNOWN` has a share in no class.
    """
    batch, height, width = codes.shape
    unnamed, unknown = codes == UNNAMED_BONE, codes == UNKNOWN
    if unnamed.any():
        codes = codes.masked_fill(unnamed, classes)
        classes += 1
    has_unknown = bool(unknown.any())
    if has_unknown:
        codes = codes.masked_fill(unknown, classes)
    counts = torch.zeros(batch, classes + has_unknown, height // samples, width // samples, device=codes.device)
    for y in range(samples):
        for x in range(samples):
            index = codes[:, None, y::samples, x::samples].long()
            counts.scatter_add_(1, index, torch.ones((), device=codes.device).expand_as(index))
    counts = counts[:, :classes]
    return counts if samples == 1 else counts.div_(samples**2)


def segmentation_loss(
    logits: Tensor, target: Tensor, dice_weight: float, over_all: Callable[[Tensor], Tensor] = lambda sums: sums
) -> Tensor:
    """Cross-entropy plus soft Dice.

    Bone without a region is compared with the sum of the probabilities of all regions, and excluded from each region's
    Dice (the marginal loss of Shi et al., "Marginal loss and exclusion loss for partially supervised multi-organ
    segmentation", Medical Image Analysis 2021).

    Parameters
    ----------
    logits : Tensor of shape (samples, outputs, y, x)
        One logit of bone, or one for each class.
    target : Tensor of shape (samples, classes, y, x)
        Share of each class in each pixel, background first; sums to 1, or to less where the class is unknown in part.
        A class after the last logit is bone without a region, see `shares`.
    dice_weight : float
        Weight of the Dice loss, averaged over the regions that occur and bone as a whole.
    over_all : callable
        Sums a tensor over the processes that train together, so that each has the loss of the whole batch.
    """
    logits = logits.float()
    outputs = logits.shape[1]
    pixels = torch.full((1,), logits.numel() / outputs, device=logits.device)
    if outputs == 1:
        bone = 1 - target[:, :1]
        entropy = F.binary_cross_entropy_with_logits(logits, bone, reduction="sum")
        probability = torch.sigmoid(logits)
    else:
        bone = target[:, :outputs]
        logarithm = F.log_softmax(logits, dim=1)
        entropy = -_total(logarithm, bone).sum()
        probability = logarithm.exp()
    overlap, predicted, wanted = _total(probability, bone), probability.sum(dim=(0, 2, 3)), bone.sum(dim=(0, 2, 3))
    if outputs > 1:
        known = target.sum(dim=1)
        pixels, predicted = known.sum()[None], torch.einsum("ncyx,nyx->c", probability, known)
    if 1 < outputs < target.shape[1]:
        unnamed = target[:, outputs:]
        entropy = entropy - _total(torch.logsumexp(logarithm[:, 1:], dim=1, keepdim=True), unnamed).sum()
        there = torch.einsum("ncyx,nyx->c", probability[:, 1:], unnamed[:, 0])
        predicted = torch.cat([predicted[:1], predicted[1:] - there])
    sums = over_all(torch.cat([entropy[None], pixels, overlap, predicted, wanted]))
    entropy, pixels = sums[0] / sums[1], sums[1:2]
    overlap, predicted, wanted = sums[2:].chunk(3)
    if outputs > 1:
        # Bone as a whole takes the place of background: the pixels that are not background.
        overlap = torch.cat([pixels - predicted[:1] - wanted[:1] + overlap[:1], overlap[1:]])
        predicted, wanted = (torch.cat([pixels - each[:1], each[1:]]) for each in (predicted, wanted))
    present = wanted > 1
    dice_loss = 1 - 2 * overlap[present] / (predicted + wanted)[present]
    return entropy + dice_weight * (dice_loss.mean() if present.any() else logits.sum() * 0)


def _total(a: Tensor, b: Tensor) -> Tensor:
    """Sum of a product over images and pixels for each channel, without storing the product."""
    return torch.einsum("ncyx,ncyx->c", a, b)
