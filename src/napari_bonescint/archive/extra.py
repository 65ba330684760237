"""The packages that speak with archives: the extra ``[archive]``."""

from __future__ import annotations

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.extras import missing_packages


def require_extra() -> None:
    """Raise `ArchiveError` if a package of the extra is not installed; nothing is imported."""
    missing = missing_packages("archive")
    if missing:
        raise ArchiveError(
            f"Archives need packages that are not installed ({', '.join(missing)}); install them in the panel Archive, "
            'or by pip install "napari-bonescint[archive]", and start again.'
        )
