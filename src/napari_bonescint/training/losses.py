"""Losses on sampled pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def shares(codes: Tensor, classes: int, samples: int) -> Tensor:
    """Share of each class in each pixel: (batch, class, y, x), from codes (batch, samples * y, samples * x)."""
    batch, height, width = codes.shape
    counts = torch.zeros(batch, classes, height // samples, width // samples, device=codes.device)
    for y in range(samples):
        for x in range(samples):
            index = codes[:, None, y::samples, x::samples].long()
            counts.scatter_add_(1, index, torch.ones((), device=codes.device).expand_as(index))
    return counts if samples == 1 else counts.div_(samples**2)


def segmentation_loss(logits: Tensor, target: Tensor, dice_weight: float) -> Tensor:
    """Cross-entropy plus soft Dice.

    Parameters
    ----------
    logits : Tensor of shape (samples, outputs, y, x)
        One logit of bone, or one for each class.
    target : Tensor of shape (samples, classes, y, x)
        Share of each class in each pixel, background first; sums to 1.
    dice_weight : float
        Weight of the Dice loss, averaged over the regions that occur and bone as a whole.
    """
    logits = logits.float()
    pixels = target.numel() / target.shape[1]
    if logits.shape[1] == 1:
        bone = 1 - target[:, :1]
        entropy = F.binary_cross_entropy_with_logits(logits, bone)
        probability = torch.sigmoid(logits)
    else:
        bone = target
        logarithm = F.log_softmax(logits, dim=1)
        entropy = -_total(logarithm, target).sum() / pixels
        probability = logarithm.exp()
    overlap, predicted, wanted = _total(probability, bone), probability.sum(dim=(0, 2, 3)), bone.sum(dim=(0, 2, 3))
    if logits.shape[1] > 1:
        # Bone as a whole counts as one more class, in the place of background: what is not background in both.
        overlap = torch.cat([pixels - predicted[:1] - wanted[:1] + overlap[:1], overlap[1:]])
        predicted, wanted = (torch.cat([pixels - sums[:1], sums[1:]]) for sums in (predicted, wanted))
    present = wanted > 1
    dice_loss = 1 - 2 * overlap[present] / (predicted + wanted)[present]
    return entropy + dice_weight * (dice_loss.mean() if present.any() else logits.sum() * 0)


def _total(a: Tensor, b: Tensor) -> Tensor:
    """Sum of a product over images and pixels, for each channel, without the product in memory."""
    return torch.einsum("ncyx,ncyx->c", a, b)
