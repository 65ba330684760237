"""Widths of each network's layers, in tables that code without PyTorch can read."""

from __future__ import annotations

FDN: dict[int, tuple[tuple[int, ...], ...]] = {
    5: ((64, 64), (128, 128)),
    11: ((8, 8), (16, 16), (32, 32), (64, 64), (128, 128)),
    13: ((8, 8), (16, 16), (32,) * 3, (64,) * 3, (128,) * 3),
    16: ((8, 8), (16, 16), (32,) * 3, (64,) * 3, (128,) * 3, (256,) * 3),
}
"""Output channels of each stage's convolutions, by the number in the network's name."""

U_NET: tuple[int, ...] = (16, 32, 64, 128, 256)
URI_NET: tuple[int, ...] = (16, 32, 64, 112, 224)
PHASE_U_NET: tuple[int, ...] = (24, 40, 64, 96, 128, 128)
HOT_SPOT_U_NET: tuple[int, ...] = (16, 32, 48, 64)
"""Channels at each level, the finest first."""

HOT_SPOT_CHANNELS = 21
"""Channels of the input of the network that finds hot spots, see `measurement.detection.channels`."""

URI_NET_PATHS: dict[int, int] = {1: 4, 3: 2, 5: 4}
"""Kernel size of each path of a residual Inception unit: the divisor that gives its share of the channels."""
