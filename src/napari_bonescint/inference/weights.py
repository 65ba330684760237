"""The weights in a safetensors file, looked at before any engine loads them."""

from __future__ import annotations

import json

import numpy as np

# Floating-point types by the names that safetensors gives them; NumPy lacks bfloat16, the upper half of a float32.
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_BFLOAT16 = "BF16"
_BFLOAT16_EXPONENT = 0x7F80


def require_finite(data: bytes) -> None:
    """Make sure that all weights are numbers: with a single other one, a mask comes out empty and nobody knows why.

    Parameters
    ----------
    data : bytes
        The content of a safetensors file.

    Raises
    ------
    ValueError
        If a weight is no number, infinite, too large for single precision, or of a type that no network has.
    Exception
        Whatever is raised for a file that is none.
    """
    # Eight bytes with the length of a table, the table in JSON, and the tensors one after the other.
    start = 8 + int.from_bytes(data[:8], "little")
    tensors = memoryview(data)[start:]
    for name, tensor in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        first, last = tensor["data_offsets"]
        kind = tensor["dtype"]
        if kind in _FLOATS or kind == _BFLOAT16:
            if not _is_finite(kind, tensors[first:last]):
                raise ValueError(f"in {name[:60]!a} are weights that are no numbers")
        elif tensor["shape"]:  # single whole numbers count the batches that were seen
            raise ValueError(f"in {name[:60]!a} are numbers of the type {kind!a:.20}, which no network has as weights")


def _is_finite(kind: str, data: memoryview) -> bool:
    if kind == _BFLOAT16:
        return not bool(((np.frombuffer(data, "<u2") & _BFLOAT16_EXPONENT) == _BFLOAT16_EXPONENT).any())
    with np.errstate(over="ignore"):  # networks compute in single precision
        return bool(np.isfinite(np.frombuffer(data, _FLOATS[kind]).astype(np.float32)).all())
