"""Losses on sampled pixels."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def shares(codes: Tensor, classes: int, samples: int) -> Tensor:
    """Share of each class in each pixel: (batch, class, y, x), from codes (batch, samples * y, samples * x)."""
    wanted = torch.arange(classes, dtype=codes.dtype, device=codes.device).reshape(-1, 1, 1)
    return F.avg_pool2d((codes[:, None] == wanted).float(), samples)


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
    if logits.shape[1] == 1:
        bone = 1 - target[:, :1]
        entropy = F.binary_cross_entropy_with_logits(logits, bone)
        predicted, wanted = torch.sigmoid(logits), bone
    else:
        entropy = F.cross_entropy(logits, target)
        # Bone as a whole counts as one more class.
        predicted = torch.softmax(logits, dim=1)
        predicted = torch.cat([1 - predicted[:, :1], predicted[:, 1:]], dim=1)
        wanted = torch.cat([1 - target[:, :1], target[:, 1:]], dim=1)
    overlap = (predicted * wanted).sum(dim=(0, 2, 3))
    size = (predicted + wanted).sum(dim=(0, 2, 3))
    present = wanted.sum(dim=(0, 2, 3)) > 1
    dice_loss = 1 - 2 * overlap[present] / size[present]
    return entropy + dice_weight * (dice_loss.mean() if present.any() else logits.sum() * 0)
