"""Keeping Python's garbage collector from running while somebody waits."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_collection() -> Iterator[None]:
    """Have no garbage collected meanwhile.

    Two new layers often make enough objects for Python to look through all that it holds, which in a napari window
    takes a fifth of a second. What is put off is done soon afterwards.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
