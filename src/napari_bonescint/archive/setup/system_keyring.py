"""The keyring of the system, which may be missing, be locked, fail in its own ways, or never answer."""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.archive.extra import require_extra

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

SECONDS = 60.0
"""Longest wait: a desktop may ask its user to unlock the keyring."""

_SERVICE = "napari-bonescint"


class NoKeyring(Exception):
    """The system has no keyring."""


class KeyringFailed(Exception):
    """The keyring did not do it; the text is a phrase such as "is locked"."""


def read(name: str) -> str | None:
    """A secret; None if the keyring has none of this name. Raises `NoKeyring` or `KeyringFailed`."""
    require_extra()
    import keyring

    return _answer(lambda: keyring.get_password(_SERVICE, name))


def write(name: str, text: str) -> None:
    """Keep a secret. Raises `NoKeyring` or `KeyringFailed`."""
    require_extra()
    import keyring

    _answer(lambda: keyring.set_password(_SERVICE, name, text))


def delete(name: str) -> None:
    """Delete a secret, if there is one. Raises `NoKeyring` or `KeyringFailed`."""
    require_extra()
    import keyring
    from keyring.errors import PasswordDeleteError

    def delete() -> None:
        try:
            keyring.delete_password(_SERVICE, name)
        except PasswordDeleteError:  # there is none, or it cannot be deleted
            if keyring.get_password(_SERVICE, name) is not None:
                raise

    _answer(delete)


def _answer(ask: Callable[[], T]) -> T:
    """Ask in a thread, which is left behind if no answer comes."""
    from keyring.errors import InitError, KeyringLocked, NoKeyringError

    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((ask(), None))
        except BaseException as error:  # passed on to the thread that waits
            answers.put((None, error))

    threading.Thread(target=run, name="keyring", daemon=True).start()
    try:
        value, error = answers.get(timeout=SECONDS)
    except Empty:
        why = f"does not answer within {SECONDS:.0f} seconds"
    else:
        if error is None:
            return value  # type: ignore[return-value]  # what `ask` returned
        if isinstance(error, NoKeyringError):
            raise NoKeyring from None
        is_locked = isinstance(error, (KeyringLocked, InitError))
        # Messages of libraries are left out, since they may quote anything.
        why = "is locked" if is_locked else f"failed ({type(error).__name__})"
    raise KeyringFailed(why)
