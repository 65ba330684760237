"""Encrypted connections to archives, and from senders: always verified, with the user's own authority if given."""

from __future__ import annotations

import select
import ssl
import time
from typing import TYPE_CHECKING

from napari_bonescint.archive.connection.certificates import (
    NOT_IN_TIME,
    damaged_authority,
    load_own_certificate,
    require_valid,
)

if TYPE_CHECKING:
    import socket

    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup

# Numbers of OpenSSL (X509_V_ERR_...).
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
    except OSError as error:
        raise damaged_authority(setup, setup.authority) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not setup.authority and not context.get_ca_certs():
        # Some builds of Python know no authority of their system.
        import certifi

        context.load_verify_locations(certifi.where())
    if setup.certificate:
        load_own_certificate(context, setup)
    return context


def server_context(setup: ArchiveSetup) -> ssl.SSLContext:
    """The context of connections from senders.

    Raises
    ------
    ArchiveError
        If a certificate file or the key's password is wrong, or the certificate is out of date.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_own_certificate(context, setup)
    require_valid(context, setup)
    if setup.sender_authority:
        try:
            context.load_verify_locations(setup.sender_authority)
        except OSError as error:
            raise damaged_authority(setup, setup.sender_authority) from error
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def accept(context: ssl.SSLContext, plain: socket.socket, seconds: float) -> ssl.SSLSocket:
    """Begin TLS with a peer that has connected.

    Raises
    ------
    ssl.SSLError, OSError
        If that fails.
    TimeoutError
        If it is not done in time, however steadily the peer sends.
    """
    secured = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
    try:
        secured.setblocking(False)
        until = time.monotonic() + seconds
        while True:
            left = max(0.0, until - time.monotonic())
            try:
                secured.do_handshake()
            except ssl.SSLWantReadError:
                is_ready = bool(select.select([secured], [], [], left)[0])
            except ssl.SSLWantWriteError:
                is_ready = bool(select.select([], [secured], [], left)[1])
            else:
                secured.setblocking(True)
                return secured
            if not is_ready:
                raise TimeoutError("the peer does not begin TLS in time")
    except BaseException:
        secured.close()
        raise


def describe_failure(host: str, error: ssl.SSLError) -> str:
    """One phrase on why TLS with an archive failed, with the remedy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_HOST:
            return f"its certificate is for another name than {host}; check the address"
        if error.verify_code in NOT_IN_TIME:
            return "its certificate is out of date; ask the archive's administrator"
        return "its certificate is from no trusted authority; give the file of its certificate authority"
    if _is_no_tls(error):
        return "it does not speak TLS at this port; check address and port"
    # A server that misses the client's certificate sends an alert or breaks off; what OpenSSL calls it depends on when.
    return "it refused the TLS connection; it may want a client certificate"


def describe_refusal(error: OSError) -> str:
    """One phrase on why a sender's connection was refused."""
    reason = str(getattr(error, "reason", "") or "").upper()
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in NOT_IN_TIME:
            return "its certificate is out of date"
        return "its certificate is from another authority than that for senders"
    if isinstance(error, ssl.SSLError) and _is_no_tls(error):
        return "it does not speak TLS; switch TLS on there"
    if "DID_NOT_RETURN_A_CERTIFICATE" in reason:
        return "it shows no certificate; set one up there"
    if "UNKNOWN_CA" in reason or "BAD_CERTIFICATE" in reason or "CERTIFICATE_UNKNOWN" in reason:
        return "it does not trust the certificate of this computer; give it the authority there"
    if "PROTOCOL" in reason or "SHARED_CIPHER" in reason:
        return "it speaks no TLS of version 1.2 or later"
    if isinstance(error, TimeoutError):
        return "it does not speak TLS, or is too slow"
    return "it broke off the TLS connection; it may not trust the certificate of this computer"


def _is_no_tls(error: ssl.SSLError) -> bool:
    reason = str(error.reason or "").upper()
    return "WRONG_VERSION" in reason or "HTTP_REQUEST" in reason
