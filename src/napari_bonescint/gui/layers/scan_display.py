"""Show scans in a viewer: captions and letters, a fitted view, a scale bar, and pictures side by side."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Labels

from napari_bonescint.gui.layers.auto_contrast import follow_bone
from napari_bonescint.gui.layers.fitting import Fitting
from napari_bonescint.gui.layers.later import later
from napari_bonescint.gui.layers.marks import ALL_PARTS, ViewMarks, marks_of, put_marks, put_speck
from napari_bonescint.gui.layers.overlays import teach_canvas
from napari_bonescint.gui.layers.pictures import adopt, is_picture, place_beside
from napari_bonescint.gui.layers.scale import ScaleBar
from napari_bonescint.gui.layers.scans import KEY, OUR_READER, ViewFacts, same_scan
from napari_bonescint.gui.placement import lies_on
from napari_bonescint.scan import ViewSource

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

# While napari adds the views of a file, it lets Qt handle events and timers, too.
_MARKS_MS, _PAUSE_MS = 300, 10
_DISPLAYS: weakref.WeakKeyDictionary[ViewerModel, ScanDisplay] = weakref.WeakKeyDictionary()


def display_scans(viewer: ViewerModel) -> None:
    """From now on, show the scans in a viewer as `ScanDisplay` does; a second call changes nothing."""
    # napari hands a proxy of the viewer to panels, which no weak reference keeps.
    viewer = getattr(viewer, "__wrapped__", viewer)
    if viewer not in _DISPLAYS:
        _DISPLAYS[viewer] = ScanDisplay(viewer)


class ScanDisplay:
    """Follows the layers of a viewer.

    Each view of a scan gets a caption and letters, and automatic contrast for bone. Pictures of other readers are laid
    beside the open views. After a scan was opened, all layers are in view.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        teach_canvas()
        put_speck(viewer)
        self._viewer = weakref.ref(viewer)
        self._scale = ScaleBar(viewer)
        self._fitting = Fitting(viewer, self._scale)
        self._hidden: list[ViewMarks] = []
        self._turn = 0
        self._sizes: weakref.WeakKeyDictionary[Image, tuple[int, ...]] = weakref.WeakKeyDictionary()
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        moved = [self._take(layer) for layer in list(viewer.layers)]
        self._scale.update()
        if any(moved):
            self._fitting.fit()

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        self._take(layer)
        if isinstance(layer, Image):
            if _was_opened(layer):
                self._scale.leave_or_update()
            else:
                self._scale.update()
        if _was_opened(layer) and (self._is_last_view(layer) or self._is_mask_alone(layer)):
            self._fitting.fit()

    def _on_removed(self, _event: Any) -> None:
        if not self._scale.is_due:
            self._scale.update()

    def _take(self, layer: Layer) -> bool:
        """Mark a view of a scan; lay a picture beside the others before, and return whether that moved it."""
        viewer = self._viewer()
        if viewer is None or not isinstance(layer, Image):
            return False
        moved = False
        if is_picture(layer):
            moved = place_beside(viewer.layers, layer)
            adopt(layer)
        layer.events.metadata.connect(_on_change)
        layer.events.data.connect(self._on_pixels)
        self._sizes[layer] = layer.data.shape
        layer.events.units.connect(self._scale.update)
        mark(layer, parts=0)
        if (marks := marks_of(layer)) is not None:
            self._hidden.append(marks)
            self._turn += 1
            later(partial(self._show_next, self._turn), _MARKS_MS)
        return moved

    def _show_next(self, turn: int) -> None:
        """Show the scale bar, or the marks of a view, in each turn; the canvas draws their letters in further turns."""
        if turn != self._turn:
            return
        if self._scale.is_due:
            self._scale.update()
        elif self._hidden:
            self._hidden.pop(0).visible = True
        else:
            return
        later(partial(self._show_next, turn), _PAUSE_MS)

    def _on_pixels(self, event: Any) -> None:
        image = event.source
        before, self._sizes[image] = self._sizes[image], image.data.shape
        mark(image)
        if image.data.shape != before and KEY in image.metadata:
            self._fitting.fit()  # it was turned

    def _is_last_view(self, layer: Layer) -> bool:
        """Whether all views of the scan of a layer are open; the view is fitted once, not for each of them."""
        viewer, facts = self._viewer(), layer.metadata.get(KEY)
        if viewer is None or not isinstance(facts, ViewFacts):
            return KEY in layer.metadata
        return len(same_scan(viewer.layers, layer)) >= len(facts.scan.views)

    def _is_mask_alone(self, layer: Layer) -> bool:
        """Whether a layer is a mask of our reader whose scan is not open."""
        viewer = self._viewer()
        if viewer is None or not isinstance(layer, Labels) or layer.source.reader_plugin != OUR_READER:
            return False
        return not any(isinstance(other, Image) and lies_on(layer, other) for other in viewer.layers)


def mark(image: Image, *, parts: int = ALL_PARTS) -> None:
    """Update caption and letters of an image, and its automatic contrast, if it is a view of a scan.

    `parts` is that of `ViewMarks`; without parts, the marks are not visible.
    Letters are left out while the view of a picture of another reader is only assumed.
    """
    facts = image.metadata.get(KEY)
    if not isinstance(facts, ViewFacts):
        return
    is_assumed = facts.view.source is ViewSource.ASSUMED
    is_known = not is_assumed or image.source.reader_plugin in (None, OUR_READER)
    letters = ("R", "L") if facts.view.patient_left_on_image_right else ("L", "R")
    put_marks(
        image,
        ViewMarks(
            title=facts.title,
            view=f"{facts.view.name}?" if is_assumed else str(facts.view.name),
            letters=letters if is_known else ("", ""),
            parts=parts,
            visible=parts > 0,
        ),
    )
    follow_bone(image)


def _on_change(event: Any) -> None:
    mark(event.source)


def _was_opened(layer: Layer) -> bool:
    """Whether a layer comes from a file or a sample, so not from a panel, a script or a copy."""
    return layer.source.path is not None or layer.source.sample is not None
