"""Quantise networks for OpenVINO to eight-bit integers.

All convolutions are quantised except the first, which is fast anyway, and the last, which needs accuracy. Inputs are
rounded to 256 steps of the range measured on calibration scans, kernels to 255 steps for each output channel. OpenVINO
computes them in integers if the processor supports it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import openvino as ov
from openvino import opset13

from napari_bonescint.inference.backends.openvino_core import core

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_KERNEL_AXES = {"Convolution": (1, 2, 3), "ConvolutionBackpropData": (0, 2, 3)}
"""All axes of a kernel except that of its output channels."""

_QUANTILE = 0.9999
"""Values beyond this quantile are clipped, which gives all others finer steps."""


class WrongRanges(ValueError):
    """Ranges that do not belong to the network."""


def measure_ranges(model: ov.Model, batches: Iterable[NDArray[np.float32]]) -> list[tuple[float, float]]:
    """Measure the range of the input of each convolution that `quantise` rounds.

    Parameters
    ----------
    model : openvino.Model
        Changed by the measurement, so do not use it afterwards.
    batches : iterable of ndarray of shape (batch, 1, y, x)
        Normalised images.

    Returns
    -------
    list of (lowest, highest)
        The lowest is 0 if no value is negative.
    """
    convolutions = _inner_convolutions(model)
    # Convolutions side by side share their input.
    inputs = [convolution.input_value(0) for convolution in convolutions]
    names = [(value.get_node().get_friendly_name(), value.get_index()) for value in inputs]
    different = dict(zip(names, inputs, strict=True))
    model.add_outputs(list(different.values()))
    place = {name: number for number, name in enumerate(different, start=len(model.outputs) - len(different))}
    compiled = core().compile_model(model, "CPU")
    lowest, highest = np.zeros(len(convolutions)), np.zeros(len(convolutions))
    for batch in batches:
        values = compiled([batch])
        for i, name in enumerate(names):
            low, high = np.quantile(values[place[name]], (1 - _QUANTILE, _QUANTILE))
            lowest[i], highest[i] = min(lowest[i], low), max(highest[i], high)
    return [(round(float(low), 4), round(float(high), 4)) for low, high in zip(lowest, highest, strict=True)]


def quantise(model: ov.Model, ranges: Sequence[tuple[float, float]]) -> None:
    """Quantise a network to eight-bit integers, in place.

    Parameters
    ----------
    model : openvino.Model
        In float32, with the kernels as constants.
    ranges : sequence of (lowest, highest)
        The result of `measure_ranges`.

    Raises
    ------
    WrongRanges
        If their number is not that of the network's quantised convolutions.
    """
    convolutions = _inner_convolutions(model)
    if len(ranges) != len(convolutions):
        raise WrongRanges(f"{len(ranges)} ranges for {len(convolutions)} convolutions")
    for convolution, (lowest, highest) in zip(convolutions, ranges, strict=True):
        values, kernel = convolution.input_value(0), convolution.input_value(1)
        if lowest < 0:
            furthest = np.float32(max(-lowest, highest))
            rounded = _round(values, -furthest, furthest * np.float32(127 / 128), 256)
        else:
            rounded = _round(values, np.float32(0), np.float32(highest), 256)
        convolution.input(0).replace_source_output(rounded)
        axes = _KERNEL_AXES[convolution.get_type_name()]
        furthest = np.abs(kernel.get_node().data).max(axis=axes, keepdims=True).astype(np.float32)
        convolution.input(1).replace_source_output(_round(kernel, -furthest, furthest, 255))
    model.validate_nodes_and_infer_types()


def _inner_convolutions(model: ov.Model) -> list[ov.Node]:
    """All convolutions except the first and the last, in a fixed order."""
    return [node for node in model.get_ordered_ops() if node.get_type_name() in _KERNEL_AXES][1:-1]


def _round(
    values: ov.Output, low: NDArray[np.float32] | np.float32, high: NDArray[np.float32] | np.float32, levels: int
) -> ov.Output:
    limits = opset13.constant(np.asarray(low)), opset13.constant(np.asarray(high))
    return opset13.fake_quantize(values, *limits, *limits, levels).output(0)
