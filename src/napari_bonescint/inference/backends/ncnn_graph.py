"""The networks as ncnn reads them, for images of any size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.inference.backends.wiring import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_bonescint.inference.backends.wiring import Activation

IMAGE = "image"
"""What every stretch begins with."""

_FLOAT32 = bytes(4)
"""Stands before a kernel, and tells how it is stored."""


@dataclass
class Stretch:
    """A network, or what lies between two of its splits into phases.

    Attributes
    ----------
    result : str
        Name of its last image.
    """

    result: str = IMAGE
    _layers: list[tuple[str, tuple[str, ...], str, str]] = field(default_factory=list)
    _weights: list[bytes] = field(default_factory=list)

    def append(self, kind: str, *images: str, settings: str = "", weights: tuple[bytes, ...] = ()) -> str:
        """Add a layer; the name of the image that comes out of it."""
        self.result = f"image{len(self._layers)}"
        self._layers.append((kind, images, self.result, settings))
        self._weights += weights
        return self.result

    def text(self) -> str:
        """The layers as ncnn's ``.param`` file has them."""
        uses = Counter(name for _, names, _, _ in self._layers for name in names)
        left: dict[str, list[str]] = {}
        lines, blobs = [], 0
        for kind, names, made, settings in (("Input", (), IMAGE, ""), *self._layers):
            taken = [left[name].pop() for name in names]
            lines.append(f"{kind} {made} {len(taken)} 1 {' '.join((*taken, made))} {settings}".rstrip())
            # What is used twice must be split in two.
            copies = [f"{made}_{i}" for i in range(uses[made])] if uses[made] > 1 else []
            if copies:
                lines.append(f"Split {made}_split 1 {len(copies)} {made} {' '.join(copies)}")
            left[made] = copies or [made]
            blobs += 1 + len(copies)
        return "\n".join(("7767517", f"{len(lines)} {blobs}", *lines, ""))

    def weights(self) -> bytes:
        """The weights as ncnn's ``.bin`` file has them."""
        return b"".join(self._weights)


def build_stretches(architecture: str, tensors: Mapping[str, NDArray[np.floating]], outputs: int) -> list[Stretch]:
    """Build a network.

    Parameters
    ----------
    architecture : str
        A name that `wiring.multiple_of` knows.
    tensors : mapping of str to ndarray
        The weights, named as PyTorch names them, in any precision.
    outputs : int
        Channels of the result.

    Returns
    -------
    list of Stretch
        Each but the first goes over all four phases of what comes out of the one before it, since ncnn knows no
        batches; what comes out of the last one is to be interleaved again as often.

    Raises
    ------
    WrongWeights
        If the weights are not those of the architecture.
    """
    layers = _Stretches()
    wire(architecture, tensors, outputs, layers, IMAGE)
    return layers.stretches


class _Stretches:
    """See `wiring.Layers`; images go by their names."""

    def __init__(self) -> None:
        self.stretches = [Stretch()]

    def convolve(
        self, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32] | None, activation: Activation | None
    ) -> str:
        size = kernel.shape[-1]
        return self._weighted("Convolution", x, kernel, bias, activation, f"1={size} 4={size // 2}")

    def enlarge(
        self, x: str, kernel: NDArray[np.float32], bias: NDArray[np.float32], activation: Activation | None
    ) -> str:
        size = kernel.shape[-1]
        outputs_first = kernel.transpose(1, 0, 2, 3)
        return self._weighted("Deconvolution", x, outputs_first, bias, activation, f"1={size} 3=2 4={(size - 2) // 2}")

    def add(self, one: str, other: str) -> str:
        return self._append("ReLU", self._append("BinaryOp", one, other, settings="0=0"))

    def concatenate(self, one: str, other: str) -> str:
        return self._append("Concat", one, other, settings="0=0")

    def halve(self, x: str) -> str:
        return self._append("Pooling", x, settings="0=0 1=2 2=2 5=1")

    def pool(self, x: str, *, forward: bool) -> str:
        edges = "14=1 15=1" if forward else "3=1 13=1 14=0 15=0"
        return self._append("Pooling", x, settings=f"0=0 1=2 2=1 5=1 {edges}")

    def gather_cells(self, x: str, side: int) -> str:
        return self._append("Reorg", x, settings=f"0={side} 1=0")

    def spread_cells(self, x: str, side: int) -> str:
        return self._append("PixelShuffle", x, settings=f"0={side} 1=0")

    def split_phases(self, _x: str, _channels: int) -> str:
        self.stretches.append(Stretch())
        return IMAGE

    def join_phases(self, x: str, _channels: int) -> str:
        return x

    def _weighted(
        self,
        kind: str,
        x: str,
        kernel: NDArray[np.float32],
        bias: NDArray[np.float32] | None,
        activation: Activation | None,
        settings: str,
    ) -> str:
        relu, biased = int(activation == "relu"), int(bias is not None)
        x = self._append(
            kind,
            x,
            settings=f"0={len(kernel)} {settings} 5={biased} 6={kernel.size} 9={relu}",
            weights=(_FLOAT32, np.ascontiguousarray(kernel).tobytes(), b"" if bias is None else bias.tobytes()),
        )
        return self._append("ELU", x, settings="0=1.0") if activation == "elu" else x

    def _append(self, kind: str, *images: str, settings: str = "", weights: tuple[bytes, ...] = ()) -> str:
        return self.stretches[-1].append(kind, *images, settings=settings, weights=weights)
