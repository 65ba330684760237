"""The extras of this package that the window offers to install, and what they lack here."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec

# Package and module. A test compares them with pyproject.toml.
_MODULES = {
    "archive": {
        "dicomweb-client": "dicomweb_client",
        "keyring": "keyring",
        "pynetdicom": "pynetdicom",
        "requests": "requests",
    },
    "train": {"lightning-fabric": "lightning_fabric"},
}
EXTRAS = tuple(_MODULES)


def missing_packages(extra: str) -> list[str]:
    """Names of the packages of an extra that are not installed; nothing is imported."""
    return [name for name, module in _MODULES[extra].items() if find_spec(module) is None]


def missing_requirements(extra: str) -> list[str]:
    """The missing packages with the versions that this package needs, as pip takes them."""
    try:
        known = requires("napari-bonescint") or []
    except PackageNotFoundError:
        known = []
    needed = {}
    for line in known:
        requirement, _, marker = line.partition(";")
        name = re.match(r"[\w.-]+", requirement)
        if name is not None and re.search(rf"""extra == ['"]{extra}['"]""", marker):
            needed[name[0]] = requirement.replace(" ", "")
    return [needed.get(name, name) for name in missing_packages(extra)]


def pip_arguments(extra: str) -> list[str]:
    """What pip is called with to install what an extra lacks; packages that are there stay as they are."""
    return ["install", "--disable-pip-version-check", *missing_requirements(extra)]


def install_command(extra: str) -> str:
    """A line for a terminal that installs what an extra lacks into the Python of this program."""
    words = [sys.executable, "-m", "pip", *pip_arguments(extra)]
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
