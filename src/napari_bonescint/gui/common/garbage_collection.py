"""Delay Python's garbage collection while the user waits."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def without_collection() -> Iterator[None]:
    """Switch garbage collection off within a block.

    Two new layers often make enough objects for a full collection, which takes 0.2 s in a napari window. It runs soon
    after the block.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
