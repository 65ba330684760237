"""Networks by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from napari_bonescint.errors import BonescintError
from napari_bonescint.networks.fdn import FDN, Activation
from napari_bonescint.networks.unet import UNet

if TYPE_CHECKING:
    from torch import nn

_STAGES: dict[int, tuple[tuple[int, ...], ...]] = {
    5: ((64, 64), (128, 128)),
    11: ((8, 8), (16, 16), (32, 32), (64, 64), (128, 128)),
    13: ((8, 8), (16, 16), (32,) * 3, (64,) * 3, (128,) * 3),
    16: ((8, 8), (16, 16), (32,) * 3, (64,) * 3, (128,) * 3, (256,) * 3),
}


class _Dilated(NamedTuple):
    depth: int
    activation: Activation = "relu"
    batch_norm: bool = False

    def build(self, outputs: int) -> FDN:
        return FDN(_STAGES[self.depth], outputs=outputs, activation=self.activation, batch_norm=self.batch_norm)


class _UNet(NamedTuple):
    widths: tuple[int, ...]
    phases: bool = False

    def build(self, outputs: int) -> UNet:
        return UNet(self.widths, outputs=outputs, phases=self.phases)


ARCHITECTURES: dict[str, _Dilated | _UNet] = {
    "fdn-5": _Dilated(5),
    "fdn-11": _Dilated(11),
    "fdn-11e": _Dilated(11, "elu"),
    "fdn-11be": _Dilated(11, "elu", batch_norm=True),
    "fdn-13": _Dilated(13),
    "fdn-16": _Dilated(16),
    "fdn-16e": _Dilated(16, "elu"),
    "fdn-16be": _Dilated(16, "elu", batch_norm=True),
    "u-net": _UNet((16, 32, 64, 128, 256)),
    "phase-u-net": _UNet((24, 40, 64, 96, 128, 128), phases=True),
}


class UnknownArchitectureError(BonescintError):
    """A name that is not in the zoo."""


def build_network(architecture: str, *, outputs: int = 1) -> nn.Module:
    """An untrained network.

    Parameters
    ----------
    architecture : str
        A name in `ARCHITECTURES`, such as ``fdn-13``.
    outputs : int
        1 for a skeleton logit, or the number of region codes.

    Raises
    ------
    UnknownArchitectureError
        If there is no such network; the message lists those that exist.
    """
    try:
        entry = ARCHITECTURES[architecture]
    except KeyError:
        raise UnknownArchitectureError(
            f"There is no network {architecture!r}; choose one of {', '.join(ARCHITECTURES)}."
        ) from None
    return entry.build(outputs)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
