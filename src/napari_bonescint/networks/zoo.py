"""Networks by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.networks.dln import DLN
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.unet import UNet
from napari_bonescint.networks.uri_net import URINet

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from napari_bonescint.networks.dense import DenseNetwork

_STAGES: dict[int, tuple[tuple[int, ...], ...]] = {
    5: ((64, 64), (128, 128)),
    11: ((8, 8), (16, 16), (32, 32), (64, 64), (128, 128)),
    13: ((8, 8), (16, 16), (32,) * 3, (64,) * 3, (128,) * 3),
    16: ((8, 8), (16, 16), (32,) * 3, (64,) * 3, (128,) * 3, (256,) * 3),
}


ARCHITECTURES: dict[str, Callable[..., DenseNetwork]] = {
    "fdn-5": partial(FDN, _STAGES[5]),
    "fdn-11": partial(FDN, _STAGES[11]),
    "fdn-11e": partial(FDN, _STAGES[11], activation="elu"),
    "fdn-11be": partial(FDN, _STAGES[11], activation="elu", batch_norm=True),
    "fdn-13": partial(FDN, _STAGES[13]),
    "fdn-16": partial(FDN, _STAGES[16]),
    "fdn-16e": partial(FDN, _STAGES[16], activation="elu"),
    "fdn-16be": partial(FDN, _STAGES[16], activation="elu", batch_norm=True),
    "dln-11": partial(DLN, _STAGES[11]),
    "u-net": partial(UNet, (16, 32, 64, 128, 256)),
    "uri-net": partial(URINet, (16, 32, 64, 112, 224)),
    "phase-u-net": partial(UNet, (24, 40, 64, 96, 128, 128), phases=True),
}
"""Each makes an untrained network when called with ``outputs``."""


class UnknownArchitectureError(BonescintError):
    """A name that is not in the zoo."""


def build_network(architecture: str, *, outputs: int = 1) -> DenseNetwork:
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
        build = ARCHITECTURES[architecture]
    except KeyError:
        raise UnknownArchitectureError(
            f"There is no network {architecture!r}; choose one of {', '.join(ARCHITECTURES)}."
        ) from None
    return build(outputs=outputs)


def count_parameters(network: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
