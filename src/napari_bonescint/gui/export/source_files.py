"""Find the DICOM files of a scan, since layers keep no file names."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from napari_bonescint.errors import BonescintError
from napari_bonescint.formats.opening import collect

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from napari_bonescint.scan import Scan


def find_sources(scan: Scan, paths: Iterable[Path]) -> tuple[Path, ...]:
    """The files of a scan among some files and folders, by their hash; empty if they are not among them."""
    if not scan.source_sha256:
        return ()
    for source in collect(paths).sources:
        with suppress(BonescintError):
            if source.source_sha256() == scan.source_sha256:
                return source.paths
    return ()
