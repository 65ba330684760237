"""Delay Python's garbage collection while the user waits."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_blocks = 0
_was_enabled = True


@contextmanager
def without_collection() -> Iterator[None]:
    """Switch garbage collection off within a block; blocks of the window's thread may overlap in any way.

    Two new layers often make enough objects for a full collection, which takes 0.2 s in a napari window. It runs soon
    after the block.
    """
    global _blocks, _was_enabled
    if _blocks == 0:
        _was_enabled = gc.isenabled()
    _blocks += 1
    gc.disable()
    try:
        yield
    finally:
        _blocks -= 1
        if _blocks == 0 and _was_enabled:
            gc.enable()
