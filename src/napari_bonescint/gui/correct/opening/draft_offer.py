"""Offer unsaved work on a scan that is in no label store, when the scan is opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari import current_viewer
from napari.utils.notifications import Notification, NotificationSeverity, notification_manager

from napari_bonescint.corrections.scan_drafts import has_draft_of_view
from napari_bonescint.gui.commands import correct_this_scan
from napari_bonescint.gui.layers.scans import can_be_scan, same_scan

if TYPE_CHECKING:
    from napari.layers import Image

_OFFER = "You left unsaved corrections of {}; choose Correct this scan to go on with them."


def offer_drafts(layers: Any) -> None:
    """From now on, say when a scan with unsaved work is added to the layers of a viewer."""
    layers.events.inserted.connect(_on_inserted)  # napari ignores a second connection


def _on_inserted(event: Any) -> None:
    layers, image = event.source, event.value
    # Of a scan with several views, the first tells.
    if not can_be_scan(image) or same_scan(layers, image)[0] is not image:
        return
    if isinstance(image.data, np.ndarray) and has_draft_of_view(image.data):
        notification_manager.dispatch(
            Notification(
                _OFFER.format(image.name),
                NotificationSeverity.INFO,
                actions=[("Correct this scan", lambda _notification: _go_on(image))],
            )
        )


def _go_on(image: Image) -> None:
    viewer = current_viewer()
    if viewer is not None and image in viewer.layers:
        viewer.layers.selection.active = image
        correct_this_scan(viewer)
