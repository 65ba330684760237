"""A case opens with all that is needed to show it, so that the window need compute nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.corrections.opening import open_case
from napari_bonescint.display import contrast_limits

if TYPE_CHECKING:
    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan


def test_a_case_brings_the_window_of_each_view(store: LabelStore, scan: Scan) -> None:
    case = open_case(store, store.add(scan), "Ann")
    assert case.windows == tuple(contrast_limits(view) for view in scan.counts)
