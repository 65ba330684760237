"""napari's reader of bone scans and masks: File > Open, drag and drop, ``napari FILE``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari import current_viewer
from napari.utils.notifications import show_error, show_info, show_warning

from napari_bonescint.display import contrast_limits, widened
from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.dicom.header import parsed_once
from napari_bonescint.formats.left_out import LeftOut
from napari_bonescint.formats.masks.registry import looks_like_mask, read_mask
from napari_bonescint.formats.opening import collect_to_open
from napari_bonescint.formats.recognition import may_be_scan_or_mask
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.gui.common.ahead import prepare_panels
from napari_bonescint.gui.common.settings import Setting, remembered, windows
from napari_bonescint.gui.correct.opening.draft_offer import offer_drafts
from napari_bonescint.gui.correct.opening.places import place_of_file
from napari_bonescint.gui.layers.loose_masks import watch_masks
from napari_bonescint.gui.layers.masks import mask_to_layers
from napari_bonescint.gui.layers.scan_display import display_scans
from napari_bonescint.gui.layers.scans import lone_views, scans_to_layers, spans_of
from napari_bonescint.gui.layers.titles import title_of_mask, titles_of
from napari_bonescint.scan import SAME_VIEW, exceeds_opposite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from napari.layers import Layer

    from napari_bonescint.gui.layers.scans import LayerTuple
    from napari_bonescint.scan import Scan

Paths = str | list[str]
Read = list["LayerTuple"] | list[tuple[None]]

# napari's value for "read, but nothing to show"; napari reports an empty list as an error of the plugin.
_NOTHING: list[tuple[None]] = [(None,)]
_ERRORS_TO_SHOW = 3


def get_reader(path: Paths) -> Callable[[Paths], Read] | None:
    """The reader for files or folders that may be bone scans or their masks, else None; nothing is decoded for it."""
    return read if any(may_be_scan_or_mask(Path(one)) for one in _as_list(path)) else None


@parsed_once()
def read(path: Paths) -> Read:
    """Read files and folders into layers; shows a sentence for each file that cannot be read.

    Parameters
    ----------
    path : str or list of str
        Two single-view files of one study make one scan.

    Returns
    -------
    list of tuple
        Layer data for napari.
    """
    masks, others, errors = _sort(map(Path, _as_list(path)))
    found = collect_to_open(others)
    scans = []
    errors += found.failures
    for source in found.sources:
        try:
            scans.append(source.open())
        except BonescintError as error:
            errors.append(error)
    opened = [scan for scan in scans if not is_being_corrected(scan)]
    layers = lay_out(opened)
    for mask in masks:
        try:
            layers += mask_to_layers(read_mask(mask), _open_layers(), title_of_mask(mask))
        except BonescintError as error:
            errors.append(error)
    _show_errors(errors)
    left_out = str(LeftOut(found.skipped))
    if left_out:
        show_info(left_out)
    for scan in with_view_warnings(opened):
        for warning in scan.warnings:
            show_warning(f"{scan.name}: {warning}" if len(scans) > 1 else warning)
    return layers or _NOTHING


def is_being_corrected(scan: Scan) -> bool:
    """Whether a scan is open as a case of a label store; its panel comes to the front then."""
    place = place_of_file(scan)
    if place is None:
        return False
    show_info(f"{scan.name}: is open already, as a case in Correct masks, which is in front now.")
    place.come_forward()
    return True


def with_view_warnings(scans: Iterable[Scan]) -> list[Scan]:
    """The scans, with a warning if an open scan of the same study shows the same view."""
    viewer = current_viewer()
    known = list(viewer.layers) if viewer is not None else []
    found = []
    for scan in scans:
        first = scan.views[0].name
        doubtful = len(scan.views) == 1 and exceeds_opposite(first, [first, *lone_views(known, scan.study)])
        found.append(replace(scan, warnings=tuple(dict.fromkeys((*scan.warnings, SAME_VIEW)))) if doubtful else scan)
    return found


def lay_out(scans: Sequence[Scan], titles: Sequence[str] | None = None) -> list[LayerTuple]:
    """Layers for scans, placed beside the open views; napari calls a reader once for each of several files.

    `titles` are used in place of the names of the files. The brightness is that of the preferences.
    """
    open_layers = _open_layers()
    percent = windows()[remembered(Setting.PRESET)]
    limits = [widened(contrast_limits(counts), percent) for scan in scans for counts in scan.counts]
    return scans_to_layers(scans, spans_of(open_layers), limits, titles_of(scans, open_layers, titles))


def _open_layers() -> Sequence[Layer]:
    """The layers in the viewer, which shows scans from now on; none without a window."""
    viewer = current_viewer()
    if viewer is None:
        return ()
    display_scans(viewer)
    prepare_panels()
    offer_drafts(viewer.layers)
    watch_masks(viewer.layers)
    return list(viewer.layers)


def _sort(paths: Iterable[Path]) -> tuple[list[Path], list[Path], list[BonescintError]]:
    """Sort paths into masks, other files, and errors of files that cannot be read."""
    masks: list[Path] = []
    others: list[Path] = []
    errors: list[BonescintError] = []
    for path in paths:
        try:
            (masks if looks_like_mask(path) else others).append(path)
        except Refusal as error:
            errors.append(error)
    return masks, others, errors


def _as_list(path: Paths) -> list[str]:
    return [path] if isinstance(path, str) else list(path)


def _show_errors(errors: Sequence[BonescintError]) -> None:
    for error in errors[:_ERRORS_TO_SHOW]:
        show_error(str(error))
    if len(errors) > _ERRORS_TO_SHOW:
        show_error(f"{len(errors) - _ERRORS_TO_SHOW} more files could not be read.")
