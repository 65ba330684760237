"""Open an archive that was set up."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.extra import require_extra
from napari_bonescint.archive.setup.archive_setup import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.archive.interface import Archive
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

_BACKENDS = {
    Kind.DICOMWEB: ("dicomweb", "DicomWebArchive"),
    Kind.RECEIVER: ("receiver", "ReceivingArchive"),
    Kind.QUERY_RETRIEVE: ("query_retrieve", "QueryRetrieveArchive"),
}
"""Module in `backends` and class of each kind; a module is imported when an archive of its kind is opened."""


def open_archive(setup: ArchiveSetup) -> Archive:
    """Open an archive without connecting to it.

    Raises
    ------
    ArchiveError
        If the set-up is wrong, a secret is missing, or the extra ``[archive]`` is not installed.
    """
    if problem := setup.problem():
        raise ArchiveError(problem)
    require_extra()
    module, name = _BACKENDS[setup.kind]
    backend = import_module(f"napari_bonescint.archive.backends.{module}")
    archive: Archive = getattr(backend, name)(setup)
    return archive


@contextmanager
def opened(setup: ArchiveSetup) -> Iterator[Archive]:
    """An archive as `open_archive` opens it, closed at the end."""
    archive = open_archive(setup)
    try:
        yield archive
    finally:
        archive.close()
