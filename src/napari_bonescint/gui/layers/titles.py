"""Titles of scans in a window: after their files, each different, and never with a patient's name."""

from __future__ import annotations

import re
from itertools import chain, count
from typing import TYPE_CHECKING

from napari_bonescint.archive.receiving.private_folder import is_private
from napari_bonescint.formats.dicom.identity import names_patient
from napari_bonescint.formats.masks.registry import MASK_ENDINGS
from napari_bonescint.formats.safe_reading.refusal import Refusal
from napari_bonescint.gui.layers.scans import KEY, ViewFacts, view_title
from napari_bonescint.scan import ViewName, file_stem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from napari.layers import Layer

    from napari_bonescint.scan import Scan

# Of scans whose files are named after the patient, or by an archive.
_NAMELESS = "scan"
_MASK_ENDINGS = (*MASK_ENDINGS, ".seg.dcm")


def titles_of(scans: Iterable[Scan], layers: Iterable[Layer], wanted: Iterable[str] | None = None) -> list[str]:
    """A title for each scan that no open scan has.

    It is the name of the scan's file, with a number if the title is taken. A file that is named after the patient, or
    came from an archive, gives the title ``scan 1``, ``scan 2``, ...

    Parameters
    ----------
    scans : iterable of Scan
        With their `sources`.
    layers : iterable of Layer
        The open layers.
    wanted : iterable of str, optional
        A title for each scan to use in place of its file's name.
    """
    layers = list(layers)
    facts = [layer.metadata.get(KEY) for layer in layers]
    taken = {each.title for each in facts if isinstance(each, ViewFacts)}
    names = {layer.name for layer in layers}
    if wanted is None:
        choices = [
            _numbered(_NAMELESS) if _shows_patient(scan.sources) else _alone_or_numbered(scan.name) for scan in scans
        ]
    else:
        choices = [_alone_or_numbered(name) for name in wanted]
    found = []
    for each in choices:
        title = next(
            choice
            for choice in each
            if choice not in taken and not any(view_title(choice, view) in names for view in ViewName)
        )
        taken.add(title)
        found.append(title)
    return found


def lasts(title: str) -> bool:
    """Whether a title belongs to a scan for ever; each window gives `scan 1` anew."""
    return not re.fullmatch(rf"{_NAMELESS} \d+", title)


def _numbered(name: str) -> Iterator[str]:
    return (f"{name} {number}" for number in count(1))


def _alone_or_numbered(name: str) -> Iterator[str]:
    return chain([name], (f"{name} ({number})" for number in count(2)))


def title_of_mask(path: Path) -> str:
    """The title of a mask whose scan is not open: its file's name without the ending, unless that names the patient."""
    ending = next((ending for ending in _MASK_ENDINGS if path.name.lower().endswith(ending)), "")
    name = path.name[: len(path.name) - len(ending)] if ending else file_stem(path)
    return "mask" if _shows_patient([path]) else name


def _shows_patient(paths: Iterable[Path]) -> bool:
    """Whether a file is named after the patient, or by an archive; one that can no longer be read may be."""
    try:
        return any(is_private(path) or names_patient(path) for path in paths)
    except Refusal:
        return True
