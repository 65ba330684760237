from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from napari_bonescint.extras import EXTRAS, install_command, missing_packages, missing_requirements

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_packages_are_those_of_the_project(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert missing_packages(extra) == missing_requirements(extra) == []
    for module in ("dicomweb_client", "keyring", "pynetdicom", "requests", "lightning_fabric"):
        monkeypatch.setitem(sys.modules, module, None)  # not found then
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    assert sorted(missing_requirements(extra)) == sorted(project["optional-dependencies"][extra])


def test_the_command_installs_into_this_python_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    command = install_command("archive")
    assert command.startswith(sys.executable)
    assert "-m pip install" in command
    assert "keyring>=25" in command
    assert "pynetdicom" not in command
