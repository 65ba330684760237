"""Failures of archives, each one sentence with the archive's name."""

from __future__ import annotations

from napari_bonescint.errors import BonescintError


class ArchiveError(BonescintError):
    """An archive did not do what it was asked for; the sentence gives the reason and the remedy."""


class Unreachable(ArchiveError):
    """There is no connection, or it was cut off; another try may succeed."""


class NotPossible(ArchiveError):
    """An archive of this kind cannot do it, such as being searched."""
