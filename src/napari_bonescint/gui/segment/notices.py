"""The notices about the scans in a viewer: those of the reader, of the layers and of the results.

A notice is open until the user has solved or closed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from napari.layers import Image

from napari_bonescint.gui.layers.scans import (
    AID,
    KEY,
    can_be_scan,
    doubted,
    facts_of,
    same_scan,
    shear_warnings,
    spacing_of,
    why_unusable,
)
from napari_bonescint.gui.segment.new_views import was_split
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import NO_SPACING, SAME_VIEW, VIEW_ASSUMED, VIEWS_ASSUMED, ViewSource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from napari.layers import Layer


@dataclass(frozen=True)
class OpenNotice:
    """A notice about the images of one scan, anterior first, or about one image that is no view of a scan."""

    images: tuple[Image, ...]
    notice: Notice


class NoticeBook:
    """Remembers the notices of results, and those that the user has closed."""

    def __init__(self) -> None:
        self._results: WeakKeyDictionary[Image, tuple[Notice, ...]] = WeakKeyDictionary()
        self._closed: WeakKeyDictionary[Image, set[str]] = WeakKeyDictionary()

    def keep_result(self, images: Sequence[Image], texts: Iterable[str]) -> None:
        """Keep the notices about a new result in place of those about the one before."""
        for image in images:
            self._results.pop(image, None)
            self._closed.get(image, set()).difference_update(texts)
        self._results[images[0]] = tuple(map(Notice.of, texts))

    def note_edit(self, images: Iterable[Image], view: str = "") -> None:
        """Drop the notices that asked for an edit of these images before the next segmentation.

        If one view alone was edited, those about the other view stay.
        """
        for image in images:
            told = self._results.get(image, ())
            self._results[image] = tuple(
                each for each in told if each.remedy is None or (view and each.view not in ("", view))
            )

    def close(self, shown: OpenNotice) -> None:
        """Close a notice."""
        for image in shown.images:
            self._closed.setdefault(image, set()).add(shown.notice)

    def open_in(self, layers: Iterable[Layer]) -> list[OpenNotice]:
        """The open notices about the layers of a viewer, by scan."""
        images = [layer for layer in layers if isinstance(layer, Image) and layer.metadata.get(KEY) != AID]
        usable = [image for image in images if can_be_scan(image)]
        found: list[OpenNotice] = []
        for image in images:
            if image not in usable:
                reason = why_unusable(image)
                if reason is not None:
                    text = f"{image.name} cannot be segmented: {reason}."
                    found.append(OpenNotice((image,), Notice(text, reason.remedy)))
                continue
            views = tuple(sorted(same_scan(usable, image), key=lambda view: str(facts_of(view).view.name)))
            if image is views[0]:
                texts = dict.fromkeys(self._about(views, doubted(usable)))
                found += [OpenNotice(views, notice) for notice in texts if _is_open(notice, views)]
        return [each for each in found if not self._is_closed(each)]

    def _about(self, views: tuple[Image, ...], unsure: Sequence[Image]) -> Iterator[Notice]:
        told = [Notice.of(text) for text in facts_of(views[0]).scan.warnings]
        yield from told
        is_assumed = any(facts_of(view).view.source is ViewSource.ASSUMED for view in views)
        if is_assumed and not any(each.remedy is Remedy.NAME_VIEW for each in told):
            yield VIEW_ASSUMED if len(views) == 1 else VIEWS_ASSUMED
        yield NO_SPACING  # answered, if there is one
        if any(view in unsure for view in views):
            yield SAME_VIEW
        yield from shear_warnings(views)
        for view in (facts_of(image).view for image in views):
            if view.inverted:
                yield Notice(f"You inverted the {view.name} view.", Remedy.INVERT_BACK, view.name)
            if view.turned:
                yield Notice(f"You turned the {view.name} view by {view.turned}°.", Remedy.TURN_BACK, view.name)
        if was_split(views[0]):
            yield Notice("You split a picture into these two views.", Remedy.JOIN)
        for view in views:
            yield from self._results.get(view, ())

    def _is_closed(self, shown: OpenNotice) -> bool:
        return any(shown.notice in self._closed.get(image, ()) for image in shown.images)


def _is_open(notice: Notice, views: Sequence[Image]) -> bool:
    """Whether the user has not yet done what a notice asks for."""
    facts = [facts_of(view) for view in views]
    match notice.remedy:
        case Remedy.NAME_VIEW:
            return not all(each.confirmed for each in facts)
        case Remedy.SET_SPACING:
            return any(spacing_of(view) is None for view in views)
        case Remedy.INVERT:
            about = [each.view for each in facts if notice.view in ("", each.view.name)]
            return not any(view.inverted for view in about)
        case _:
            return True
