"""The result of a model for a scan: masks, probability, and the model's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Segmentation:
    """The skeleton of one scan, segmented by a model.

    Attributes
    ----------
    skeleton : ndarray of uint8, shape (view, y, x)
        1 where a view shows bone, else 0.
    regions : ndarray of uint8, shape (view, y, x), or None
        Region codes of `anatomy.REGIONS`; None if the model does not name regions.
        `skeleton` is 1 exactly where `regions` is not 0.
    probability : ndarray of float32, shape (view, y, x)
        Probability of bone, 0 to 1.
    model : str
        Name of the model.
    model_sha256 : str
        Hash of its weights file, hexadecimal.
    device : str
        Device that computed it: ``cpu`` or ``cuda:0``.
    device_reason : str
        Reason for this device, such as ``CPU: this computer has no NVIDIA GPU``.
    backend : str
        Engine that computed it, such as ``torch``.
    seconds : float
        Time from counts in memory to masks in memory.
    warnings : tuple of str
        Sentences to show to the user.
    """

    skeleton: NDArray[np.uint8]
    regions: NDArray[np.uint8] | None
    probability: NDArray[np.float32]
    model: str
    model_sha256: str
    device: str
    device_reason: str
    backend: str
    seconds: float
    warnings: tuple[str, ...] = ()
