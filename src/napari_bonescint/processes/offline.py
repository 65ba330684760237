"""Stop parts of other packages from sending data from this computer.

This applies to every process that imports this package, whatever its environment. Tests check that no process connects
or looks up a name (`tests/network_guard`).
"""

from __future__ import annotations

import os
import sys

_SENDERS = ("openvino_telemetry",)
"""OpenVINO sends usage data to an analytics service on import, with a permanent identifier in the home folder. If this
module cannot be imported, OpenVINO uses an empty one of its own."""

_SWITCHES = {"ORT_DISABLE_TELEMETRY": "1"}
"""ONNX Runtime, which `bonescint benchmark` compares, sends data in native code from version 1.32 on, unless this
variable is set when it is loaded."""


def forbid_telemetry() -> None:
    """Stop all packages from sending data from this process and its children; call this before any other import."""
    for name in _SENDERS:
        sys.modules[name] = None  # type: ignore[assignment]  # Python's mark of a module that cannot be imported
    os.environ.update(_SWITCHES)
