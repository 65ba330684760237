"""The packages that speak with archives: the extra ``[archive]``."""

from __future__ import annotations

from importlib.util import find_spec

from napari_bonescint.archive.errors import ArchiveError

_MODULES = {
    "dicomweb-client": "dicomweb_client",
    "keyring": "keyring",
    "pynetdicom": "pynetdicom",
    "requests": "requests",
}


def require_extra() -> None:
    """Raise `ArchiveError` if a package of the extra is not installed; nothing is imported."""
    missing = [name for name, module in _MODULES.items() if find_spec(module) is None]
    if missing:
        raise ArchiveError(
            f"Archives need packages that are not installed ({', '.join(missing)}); install them by pip install "
            '"napari-bonescint[archive]" and start again.'
        )
