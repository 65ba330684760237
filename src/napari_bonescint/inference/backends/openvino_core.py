"""The single OpenVINO core of this process."""

from __future__ import annotations

from functools import cache

import openvino as ov


@cache
def core() -> ov.Core:
    """The core that compiles models, kept until the process ends, as OpenVINO recommends.

    On Linux, each core with the CPU plugin installs a stack for signal handlers, and restores the previous stack when
    it is deleted. If two cores are deleted in the order of their creation, the second restores the deleted stack of the
    first. The next signal with a handler, such as Ctrl-C, then crashes the process.
    """
    return ov.Core()
