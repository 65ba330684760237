"""Encrypted connections to an archive: always verified, with the user's own authority and certificate if given."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.credentials import SecretKind, find_secret

if TYPE_CHECKING:
    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

# Numbers of OpenSSL (X509_V_ERR_...).
_EXPIRED = {9, 10}
_OTHER_HOST = {62, 64}


def client_context(setup: ArchiveSetup) -> ssl.SSLContext:
    """The context of connections to an archive.

    Raises
    ------
    ArchiveError
        If a certificate file or the key's password is wrong.
    """
    try:
        context = ssl.create_default_context(cafile=setup.authority or None)
    except (ssl.SSLError, OSError) as error:
        raise ArchiveError(f"{setup.name}: the file of the certificate authority cannot be read; check it.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not setup.authority and not context.get_ca_certs():
        # Some builds of Python know no authority of their system.
        import certifi

        context.load_verify_locations(certifi.where())
    if setup.certificate:
        secret = find_secret(setup, SecretKind.KEY_PASSWORD)
        # An empty password keeps OpenSSL from asking for one on the terminal.
        password = secret.reveal() if secret is not None else ""
        try:
            context.load_cert_chain(setup.certificate, setup.key, password)
        except (ssl.SSLError, OSError):
            raise ArchiveError(
                f"{setup.name}: the client certificate cannot be used; check its file, its key and the key's password."
            ) from None
    return context


def describe_failure(host: str, error: ssl.SSLError) -> str:
    """One phrase on why TLS failed, with the remedy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_HOST:
            return f"its certificate is for another name than {host}; check the address"
        if error.verify_code in _EXPIRED:
            return "its certificate is out of date; ask the archive's administrator"
        return "its certificate is from no trusted authority; give the file of its certificate authority"
    reason = str(error.reason or "").upper()
    if "WRONG_VERSION" in reason or "HTTP_REQUEST" in reason:
        return "it does not speak TLS at this port; check address and port"
    # A server that misses the client's certificate sends an alert or breaks off; what OpenSSL calls it depends on when.
    return "it refused the TLS connection; it may want a client certificate"
