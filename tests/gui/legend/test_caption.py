from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.gui.legend.caption import BoneCaption

if TYPE_CHECKING:
    from napari import Viewer


def test_a_caption_is_shown_and_goes_and_a_text_of_others_stays(viewer: Viewer) -> None:
    overlay = viewer.canvas.overlays.text
    caption, second = BoneCaption(viewer), BoneCaption(viewer)
    caption.show("ribs, anterior")
    second.show("ribs, anterior")
    assert (overlay.text, overlay.visible) == ("ribs, anterior", True)
    caption.show("")
    assert (overlay.text, overlay.visible) == ("", False)
    overlay.text, overlay.visible = "my own", True
    caption.show("femur, anterior")
    assert (overlay.text, overlay.visible) == ("my own", True)
