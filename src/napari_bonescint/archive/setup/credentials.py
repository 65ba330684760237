"""Secrets of archives: from the environment or the system's keyring, never from a file.

The environment comes first, for stations without a keyring: ``BONESCINT_ARCHIVE_<NAME>_PASSWORD``, with the archive's
name in capitals and ``_`` for other characters than letters and digits. What the user has typed in this process comes
before both.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.extra import require_extra
from napari_bonescint.archive.setup.archive_setup import Login

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

_SERVICE = "napari-bonescint"


class SecretKind(StrEnum):
    """The secrets that an archive may need."""

    PASSWORD = "password"  # noqa: S105
    TOKEN = "token"  # noqa: S105
    """For bearer login."""
    KEY_PASSWORD = "key-password"  # noqa: S105
    """Of the file with the client certificate's key."""


class Secret:
    """A text that no log and no traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(...)"

    def reveal(self) -> str:
        """The text itself."""
        return self._text


def variable(archive: str, kind: SecretKind) -> str:
    """The environment variable of a secret."""
    return f"BONESCINT_ARCHIVE_{re.sub('[^A-Z0-9]', '_', archive.upper())}_{kind.name}"


def is_encrypted(key_file: Path) -> bool:
    """True if a key's file needs a password; False also if it cannot be read."""
    try:
        return "ENCRYPTED" in key_file.read_text(errors="replace")
    except OSError:
        return False


def needed_secrets(setup: ArchiveSetup) -> tuple[SecretKind, ...]:
    """The secrets without which an archive cannot be used."""
    login = {Login.BASIC: [SecretKind.PASSWORD], Login.BEARER: [SecretKind.TOKEN], Login.NONE: []}[setup.login]
    return (*login, *([SecretKind.KEY_PASSWORD] if setup.key and is_encrypted(Path(setup.key)) else []))


_typed: dict[tuple[str, SecretKind], Secret] = {}


def use_typed(archive: str, typed: Mapping[SecretKind, Secret]) -> None:
    """Use secrets until this process ends, in place of what environment and keyring have."""
    _typed.update({(archive, kind): secret for kind, secret in typed.items()})


def forget_typed(archive: str) -> None:
    """Use no more what was typed for an archive."""
    for kind in SecretKind:
        _typed.pop((archive, kind), None)


@contextmanager
def typed_in(archive: str, typed: Mapping[SecretKind, Secret]) -> Iterator[None]:
    """Use secrets within, and what was used before afterwards."""
    before = dict(_typed)
    use_typed(archive, typed)
    try:
        yield
    finally:
        _typed.clear()
        _typed.update(before)


def find_secret(setup: ArchiveSetup, kind: SecretKind) -> Secret | None:
    """A secret of an archive; None if there is none.

    Raises
    ------
    ArchiveError
        If the keyring is locked or missing, and the environment has no such secret.
    """
    if (typed := _typed.get((setup.name, kind))) is not None:
        return typed
    text = os.environ.get(variable(setup.name, kind))
    if text is not None:
        return Secret(text)
    require_extra()
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    try:
        found = keyring.get_password(_SERVICE, f"{setup.name}/{kind}")
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise ArchiveError(
            f"{setup.name}: the system's keyring does not give the {kind} ({type(error).__name__}); unlock it."
        ) from None
    return None if found is None else Secret(found)


def keep_secret(setup: ArchiveSetup, kind: SecretKind, secret: Secret | None) -> None:
    """Put a secret of an archive into the system's keyring, or delete it there.

    Raises
    ------
    ArchiveError
        If there is no keyring, or it refuses.
    """
    require_extra()
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        if secret is not None:
            keyring.set_password(_SERVICE, f"{setup.name}/{kind}", secret.reveal())
            return
        keyring.delete_password(_SERVICE, f"{setup.name}/{kind}")
    except PasswordDeleteError:  # there was none
        return
    except KeyringError as error:
        raise ArchiveError(
            f"{setup.name}: this system has no keyring that keeps the {kind} ({type(error).__name__}); set the "
            f"environment variable {variable(setup.name, kind)} instead."
        ) from None
