"""Certificate files of a receiver: those that can be used, and the sentence for each that cannot."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.archive.connection.tls import client_context, server_context
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup import credentials
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind

if TYPE_CHECKING:
    from pathlib import Path

KEY_PASSWORD = credentials.variable("ward", credentials.SecretKind.KEY_PASSWORD)


def with_files(folder: Path, certificate: str, key: str, sender_authority: str = "") -> ArchiveSetup:
    return ArchiveSetup(
        "ward",
        Kind.RECEIVER,
        own_port=11112,
        own_tls=True,
        certificate=str(folder / certificate),
        key=str(folder / key),
        sender_authority=sender_authority and str(folder / sender_authority),
        allowed_titles=("WORKSTATION",),
    )


@pytest.mark.parametrize(
    ("files", "password", "said"),
    [
        (("authority.pem", "server.key"), "", "the key server.key does not belong to the certificate authority.pem"),
        (("server.key", "server.key"), "", "server.key holds no certificate in PEM form; choose another file"),
        (("server.pem", "server.pem"), "", "server.pem holds no key in PEM form; choose another file"),
        (("server.pem", "server.key", "names"), "", "names cannot be read as certificates of an authority"),
        (("server.pem", "none.key"), "", "none.key cannot be read (No such file or directory); check its path"),
        (("old.pem", "server.key"), "", "the certificate old.pem of this computer is out of date; get a new one"),
        (("server.pem", "locked.key"), "", f"enter it in the set-up, or set the environment variable {KEY_PASSWORD}"),
        (("server.pem", "locked.key"), "wrong-word", "the password of the key locked.key is wrong; enter it again"),
        (("damaged.pem", "server.key"), "", "damaged.pem and server.key cannot be used as certificate and key"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told(
    certificates: Path, files: tuple[str, ...], password: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (certificates / "server.pem").read_text()
    (certificates / "damaged.pem").write_text(whole[: len(whole) // 2])
    if password:
        monkeypatch.setenv(KEY_PASSWORD, password)
    with pytest.raises(ArchiveError) as caught:
        server_context(with_files(certificates, *files))
    assert said in str(caught.value)
    assert str(caught.value).startswith("ward: ")
    assert "wrong-word" not in "".join(traceback.format_exception(caught.value))


def test_right_files_are_used(certificates: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server_context(with_files(certificates, "server.pem", "server.key", "authority.pem"))
    server_context(with_files(certificates, "both.pem", "both.pem"))
    monkeypatch.setenv(KEY_PASSWORD, "key-word")
    locked = with_files(certificates, "server.pem", "locked.key")
    server_context(locked)
    client_context(locked)
