"""Names that come from files and become names of files: none of them leads out of the folder that it belongs in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# What file systems take apart or refuse, and what terminals obey.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u2028\u2029\u202a-\u202e\u2066-\u2069]')
# Windows gives these to devices, whatever the extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)
_MOST_BYTES = 150


def is_file_name(text: str) -> bool:
    """Whether a text can be the name of a file or folder, on every system, and is nothing more than that.

    Parameters
    ----------
    text : str
        Any text: ``ward-7`` can be, ``../ward`` cannot, nor ``C:ward``, ``nul`` or a name that begins with a dot.
    """
    return (
        0 < len(text.encode(errors="surrogatepass")) <= _MOST_BYTES
        and not _FORBIDDEN.search(text)
        and not _DEVICE.fullmatch(text)
        and not text.startswith((".", " ", "-"))
        and not text.endswith((".", " "))
    )


def inside(folder: Path, name: object) -> Path:
    """A file in a folder, or in a folder in it, by the name that some file gives.

    Parameters
    ----------
    folder : Path
        The folder.
    name : object
        ``scan.tif`` or ``samples/000010.png``.

    Raises
    ------
    ValueError
        If that is no such name, or leads elsewhere.
    """
    parts = name.split("/") if isinstance(name, str) else [""]
    if not all(map(is_file_name, parts)):
        raise ValueError(f"{ascii(name)[:60]} is no name of a file in {folder.name}")
    return folder.joinpath(*parts)
