"""Check names from files before they become file names: none may lead out of its folder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Characters that file systems or terminals interpret.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u2028\u2029\u202a-\u202e\u2066-\u2069]')
# Windows reserves these names for devices, with any extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)
_MOST_BYTES = 150


def is_file_name(text: str) -> bool:
    """True if a text is a valid name of a file or folder on every system, and nothing more.

    ``ward-7`` is valid; ``../ward``, ``C:ward``, ``nul`` and names that begin with a dot are not.
    """
    return (
        0 < len(text.encode(errors="surrogatepass")) <= _MOST_BYTES
        and not _FORBIDDEN.search(text)
        and not _DEVICE.fullmatch(text)
        and not text.startswith((".", " ", "-"))
        and not text.endswith((".", " "))
    )


def inside(folder: Path, name: object) -> Path:
    """The path of a file in a folder or subfolder, by a name from a file, such as ``samples/000010.png``.

    An invalid name, or one that leads out of the folder, is a `ValueError`.
    """
    parts = name.split("/") if isinstance(name, str) else [""]
    if not all(map(is_file_name, parts)):
        raise ValueError(f"{ascii(name)[:60]} is no name of a file in {folder.name}")
    return folder.joinpath(*parts)
