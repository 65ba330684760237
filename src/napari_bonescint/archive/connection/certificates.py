"""Certificates of this computer and of authorities, from PEM files; each fault is one sentence."""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.credentials import SecretKind, find_secret, is_encrypted, variable

if TYPE_CHECKING:
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

# Numbers of OpenSSL (X509_V_ERR_...).
NOT_IN_TIME = {9, 10}
_OTHER_PURPOSE = 26

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def damaged_authority(setup: ArchiveSetup, file: str) -> ArchiveError:
    """The sentence for an unreadable file with the certificates of authorities."""
    return ArchiveError(
        f"{setup.name}: {Path(file).name} cannot be read as certificates of an authority; choose its PEM file."
    )


def load_own_certificate(context: ssl.SSLContext, setup: ArchiveSetup) -> None:
    """Show this computer's certificate to those who ask; raises `ArchiveError` if a file or password is wrong."""
    certificate, key = Path(setup.certificate), Path(setup.key)
    for path, begin, what in ((certificate, "CERTIFICATE-----", "certificate"), (key, "PRIVATE KEY-----", "key")):
        if begin not in _text(setup, path):
            raise ArchiveError(f"{setup.name}: {path.name} holds no {what} in PEM form; choose another file.")
    secret = find_secret(setup, SecretKind.KEY_PASSWORD) if is_encrypted(key) else None
    try:
        # An empty password keeps OpenSSL from asking for one on the terminal.
        context.load_cert_chain(certificate, key, "" if secret is None else secret.reveal())
    except (ssl.SSLError, OSError) as error:
        reason = str(getattr(error, "reason", "") or "")
    else:
        return
    # Raised here, so that no traceback holds the password.
    raise ArchiveError(f"{setup.name}: {_why_not_loaded(setup, reason, has_password=secret is not None)}")


def _why_not_loaded(setup: ArchiveSetup, reason: str, *, has_password: bool) -> str:
    certificate, key = Path(setup.certificate), Path(setup.key)
    if "MISMATCH" in reason:
        return f"the key {key.name} does not belong to the certificate {certificate.name}; choose its own key."
    if "TOO_SMALL" in reason:
        return f"the key of {certificate.name} is too short for TLS; get a certificate with at least 2048 bits."
    if is_encrypted(key) and has_password:
        return f"the password of the key {key.name} is wrong; enter it again."
    if is_encrypted(key):
        name = variable(setup.name, SecretKind.KEY_PASSWORD)
        return f"the key {key.name} has a password; enter it in the set-up, or set the environment variable {name}."
    return f"{certificate.name} and {key.name} cannot be used as certificate and key; check both files."


def require_valid(context: ssl.SSLContext, setup: ArchiveSetup) -> None:
    """Raise `ArchiveError` if the certificate that a server's context shows is out of date, or not for servers."""
    certificate = Path(setup.certificate)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        client.load_verify_locations(cadata="\n".join(_CERTIFICATE.findall(_text(setup, certificate))))
        _connect_in_memory(client, context)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in NOT_IN_TIME:
            raise ArchiveError(
                f"{setup.name}: the certificate {certificate.name} of this computer is out of date; get a new one."
            ) from error
        if error.verify_code == _OTHER_PURPOSE:
            raise ArchiveError(
                f"{setup.name}: the certificate {certificate.name} is not for servers; get one for server and client."
            ) from error
    except ssl.SSLError:
        pass  # those who connect are told


def _connect_in_memory(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()


def _text(setup: ArchiveSetup, path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        raise ArchiveError(
            f"{setup.name}: {path.name} cannot be read ({error.strerror}); check its path and who may read it."
        ) from error
