"""Build networks by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.networks import widths
from napari_bonescint.networks.dln import DLN
from napari_bonescint.networks.fdn import FDN
from napari_bonescint.networks.unet import UNet
from napari_bonescint.networks.uri_net import URINet

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from napari_bonescint.networks.dense import DenseNetwork

ARCHITECTURES: dict[str, Callable[..., DenseNetwork]] = {
    "fdn-5": partial(FDN, widths.FDN[5]),
    "fdn-11": partial(FDN, widths.FDN[11]),
    "fdn-11e": partial(FDN, widths.FDN[11], activation="elu"),
    "fdn-11be": partial(FDN, widths.FDN[11], activation="elu", batch_norm=True),
    "fdn-13": partial(FDN, widths.FDN[13]),
    "fdn-16": partial(FDN, widths.FDN[16]),
    "fdn-16e": partial(FDN, widths.FDN[16], activation="elu"),
    "fdn-16be": partial(FDN, widths.FDN[16], activation="elu", batch_norm=True),
    "dln-11": partial(DLN, widths.FDN[11]),
    "u-net": partial(UNet, widths.U_NET),
    "uri-net": partial(URINet, widths.URI_NET),
    "phase-u-net": partial(UNet, widths.PHASE_U_NET, phases=True),
}
"""Networks for segmenting: functions that make an untrained one from the number of ``outputs``, by name."""

HOT_SPOT_ARCHITECTURES: dict[str, Callable[..., DenseNetwork]] = {
    "hot-spot-u-net": partial(UNet, widths.HOT_SPOT_U_NET, inputs=widths.HOT_SPOT_CHANNELS),
}
"""Networks for finding hot spots, likewise; their input has several channels."""


class UnknownArchitectureError(BonescintError):
    """No network has this name."""


def build_network(architecture: str, *, outputs: int = 1) -> DenseNetwork:
    """Make an untrained network by its name in one of the tables, such as ``fdn-13``.

    `outputs` is 1 for a skeleton logit, or the number of classes. An unknown name raises `UnknownArchitectureError`,
    which lists the names.
    """
    known = ARCHITECTURES | HOT_SPOT_ARCHITECTURES
    if architecture not in known:
        raise UnknownArchitectureError(f"There is no network {architecture!r}; choose one of {', '.join(known)}.")
    return known[architecture](outputs=outputs)


def count_parameters(network: nn.Module) -> int:
    """Number of a network's weights."""
    return sum(parameter.numel() for parameter in network.parameters())
