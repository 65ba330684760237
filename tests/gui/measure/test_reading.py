from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

from napari_bonescint.gui.measure.reading import look_of

if TYPE_CHECKING:
    from napari.layers import Image


def test_new_counts_of_a_view_are_seen_wherever_they_lie_in_memory(images: list[Image]) -> None:
    look = look_of(images)
    assert look == look_of(images)
    before = weakref.ref(images[0].data)
    images[0].data = images[0].data + 1
    gc.collect()
    assert before() is not None  # otherwise, the next array may have the same `id`
    assert look != look_of(images)
