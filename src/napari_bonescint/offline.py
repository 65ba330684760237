"""Nothing leaves this computer: parts of other packages that would send something are kept from doing so.

Everything here holds for the process that imports this package, whatever the user's environment says. Tests watch that
no process connects or looks up a name (`tests/network_guard`).
"""

from __future__ import annotations

import os
import sys

_SENDERS = ("openvino_telemetry",)
"""OpenVINO posts to an analytics service when it is imported, with a lasting identifier that it keeps in the home
folder. Where its package for that cannot be imported, it uses an empty one of its own."""

_SWITCHES = {"ORT_DISABLE_TELEMETRY": "1"}
"""ONNX Runtime, with which `bonescint benchmark` compares, does the same in native code from version 1.32 on, and looks
at this variable when it is loaded."""


def forbid_telemetry() -> None:
    """Let no package send anything from this process or those it starts; to be called before any other import."""
    for name in _SENDERS:
        sys.modules[name] = None  # type: ignore[assignment]  # how Python is told that a module is not to be had
    os.environ.update(_SWITCHES)
