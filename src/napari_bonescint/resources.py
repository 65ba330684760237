"""Find the shipped folders `weights/` and `train/`: inside an installed wheel, or beside src/ in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped_folder(name: str) -> Path:
    """The folder `name` (``weights`` or ``train``) of this installation."""
    installed = _PACKAGE / name
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name
