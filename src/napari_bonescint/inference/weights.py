"""Read the weights in a safetensors file, and check them before any engine loads them.

Some large models hold weights as eight-bit integers: the tensor NAME of int8, and NAME.scale in half precision, one for
each output channel (the first axis). A weight is their product.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

# NumPy's types by the names in safetensors. NumPy has no bfloat16, which is the upper half of a float32.
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_BFLOAT16 = "BF16"
_BFLOAT16_EXPONENT = 0x7F80
_EIGHT_BITS = "I8"

SCALE = ".scale"
"""What follows the name of a tensor of integers in the name of its scales."""


def read_tensors(data: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name, integers multiplied by their scales.

    Raises
    ------
    safetensors.SafetensorError
        If the content is not safetensors.
    RuntimeError
        If scales do not fit their tensor.
    """
    from safetensors.torch import load

    stored = load(data)
    tensors = {name: tensor for name, tensor in stored.items() if not name.endswith(SCALE)}
    for name in tensors.keys() & {name.removesuffix(SCALE) for name in stored if name.endswith(SCALE)}:
        scale = stored[name + SCALE].float()
        tensors[name] = tensors[name] * scale.reshape(-1, *(1,) * (tensors[name].ndim - 1))
    return tensors


def require_finite(data: bytes) -> None:
    """Check that all weights are finite; a single one that is not would make every mask empty.

    Parameters
    ----------
    data : bytes
        The content of a safetensors file.

    Raises
    ------
    ValueError
        If a weight is NaN, infinite, too large for single precision, or of a type that no network uses.
    Exception
        Of any type, if the content is not safetensors.
    """
    # The format: eight bytes with the length of the table, the table in JSON, the tensors.
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = memoryview(data)[start:]
    table = json.loads(data[8:start])
    for name, tensor in table.items():
        if name == "__metadata__":
            continue
        first, last = tensor["data_offsets"]
        kind = tensor["dtype"]
        if kind in _FLOATS or kind == _BFLOAT16:
            if not _is_finite(kind, tensors[first:last]):
                raise ValueError(f"tensor {name[:60]!a} has weights that are not finite")
        elif tensor["shape"] and not (
            kind == _EIGHT_BITS and name + SCALE in table
        ):  # a scalar integer is a layer's count of training batches
            raise ValueError(f"tensor {name[:60]!a} has the type {kind!a:.20}, which no network uses for weights")


def _is_finite(kind: str, data: memoryview) -> bool:
    if kind == _BFLOAT16:
        return not bool(((np.frombuffer(data, "<u2") & _BFLOAT16_EXPONENT) == _BFLOAT16_EXPONENT).any())
    with np.errstate(over="ignore"):  # networks compute in single precision
        return bool(np.isfinite(np.frombuffer(data, _FLOATS[kind]).astype(np.float32)).all())
