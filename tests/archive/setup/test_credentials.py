from __future__ import annotations

import traceback

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.credentials import (
    Secret,
    SecretKind,
    find_secret,
    forget_typed,
    keep_secret,
    typed_in,
    use_typed,
    variable,
)

SETUP = ArchiveSetup("Ward 7", Kind.DICOMWEB)


class Locked(KeyringBackend):
    priority = 1

    def get_password(self, *_names: str) -> str | None:
        raise KeyringLocked("hunter2 is wrong")

    set_password = delete_password = get_password


@pytest.fixture(autouse=True)
def _restored() -> object:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert variable("Ward 7", SecretKind.KEY_PASSWORD) == "BONESCINT_ARCHIVE_WARD_7_KEY_PASSWORD"
    assert find_secret(SETUP, SecretKind.PASSWORD) is None
    monkeypatch.setenv("BONESCINT_ARCHIVE_WARD_7_PASSWORD", "hunter2")
    secret = find_secret(SETUP, SecretKind.PASSWORD)
    assert secret is not None
    assert secret.reveal() == "hunter2"


def test_no_text_shows_a_secret() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    keyring.set_keyring(Locked())
    with pytest.raises(ArchiveError, match="keyring is locked, so the password cannot be read; unlock it") as caught:
        find_secret(SETUP, SecretKind.PASSWORD)
    with pytest.raises(ArchiveError, match="keyring is locked, so the token was not kept") as kept:
        keep_secret(SETUP, SecretKind.TOKEN, secret)
    for error in (caught.value, kept.value):
        assert "hunter2" not in "".join(traceback.format_exception(error))


def test_what_was_typed_comes_before_the_environment_until_it_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> str:
        secret = find_secret(SETUP, SecretKind.PASSWORD)
        return "" if secret is None else secret.reveal()

    monkeypatch.setenv("BONESCINT_ARCHIVE_WARD_7_PASSWORD", "hunter2")
    with typed_in("Ward 7", {SecretKind.PASSWORD: Secret("tried")}):
        assert found() == "tried"
    assert found() == "hunter2"
    use_typed("Ward 7", {SecretKind.PASSWORD: Secret("typed")})
    assert found() == "typed"
    forget_typed("Ward 7")
    assert found() == "hunter2"
