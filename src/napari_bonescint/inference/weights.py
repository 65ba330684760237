"""Check the weights in a safetensors file before any engine loads them."""

from __future__ import annotations

import json

import numpy as np

# NumPy's types by the names in safetensors. NumPy has no bfloat16, which is the upper half of a float32.
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_BFLOAT16 = "BF16"
_BFLOAT16_EXPONENT = 0x7F80


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
    for name, tensor in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        first, last = tensor["data_offsets"]
        kind = tensor["dtype"]
        if kind in _FLOATS or kind == _BFLOAT16:
            if not _is_finite(kind, tensors[first:last]):
                raise ValueError(f"tensor {name[:60]!a} has weights that are not finite")
        elif tensor["shape"]:  # a scalar integer is a layer's count of training batches
            raise ValueError(f"tensor {name[:60]!a} has the type {kind!a:.20}, which no network uses for weights")


def _is_finite(kind: str, data: memoryview) -> bool:
    if kind == _BFLOAT16:
        return not bool(((np.frombuffer(data, "<u2") & _BFLOAT16_EXPONENT) == _BFLOAT16_EXPONENT).any())
    with np.errstate(over="ignore"):  # networks compute in single precision
        return bool(np.isfinite(np.frombuffer(data, _FLOATS[kind]).astype(np.float32)).all())
