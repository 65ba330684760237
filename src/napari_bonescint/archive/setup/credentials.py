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
from napari_bonescint.archive.setup import system_keyring
from napari_bonescint.archive.setup.archive_setup import Login
from napari_bonescint.archive.setup.system_keyring import KeyringFailed, NoKeyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup


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


def in_words(kind: SecretKind) -> str:
    """A kind of secret, as a sentence names it."""
    return "password of the key" if kind is SecretKind.KEY_PASSWORD else str(kind)


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
    try:
        found = system_keyring.read(_entry(setup, kind))
    except NoKeyring:
        return None
    except KeyringFailed as error:
        why = str(error)
    else:
        return None if found is None else Secret(found)
    raise ArchiveError(
        f"{setup.name}: the system's keyring {why}, so the {in_words(kind)} cannot be read; unlock it, or set the "
        f"environment variable {variable(setup.name, kind)}."
    )


def keep_secret(setup: ArchiveSetup, kind: SecretKind, secret: Secret) -> None:
    """Put a secret of an archive into the system's keyring.

    Raises
    ------
    ArchiveError
        If there is no keyring, or it refuses.
    """
    instead = f"set the environment variable {variable(setup.name, kind)}"
    try:
        system_keyring.write(_entry(setup, kind), secret.reveal())
    except NoKeyring:
        sentence = f"this system has no keyring that keeps the {in_words(kind)}; {instead} instead."
    except KeyringFailed as error:
        sentence = (
            f"the system's keyring {error}, so the {in_words(kind)} was not kept; unlock it and enter the "
            f"{in_words(kind)} again, or {instead}."
        )
    else:
        return
    # Raised here, so that no traceback holds the secret.
    raise ArchiveError(f"{setup.name}: {sentence}")


def forget_secrets(setup: ArchiveSetup) -> None:
    """Use no more what was typed for an archive, and delete its secrets from the system's keyring.

    Raises
    ------
    ArchiveError
        If the keyring does not delete a secret that the archive needs.
    """
    forget_typed(setup.name)
    for kind in SecretKind:
        try:
            system_keyring.delete(_entry(setup, kind))
        except NoKeyring:
            return
        except KeyringFailed as error:
            if needed := needed_secrets(setup):
                raise ArchiveError(
                    f"{setup.name}: the system's keyring {error}, so the {in_words(needed[0])} was not deleted; delete "
                    f"the entry {_entry(setup, needed[0])} there."
                ) from None
            return


def _entry(setup: ArchiveSetup, kind: SecretKind) -> str:
    """The name of a secret in the keyring."""
    return f"{setup.name}/{kind}"
