"""The one core of OpenVINO in this process."""

from __future__ import annotations

from functools import cache

import openvino as ov


@cache
def core() -> ov.Core:
    """What models are compiled with; made once and kept until the process ends, as OpenVINO recommends.

    On Linux each core with the plugin for CPUs gives its thread a stack for signal handlers, and puts back the one that
    it found when it goes with its last model. Of two cores that go in the order in which they came, the second puts
    back the first one's stack, which is there no more: the next signal that has a handler, such as Ctrl-C or the end of
    a child process, then ends this process with a segmentation fault.
    """
    return ov.Core()
