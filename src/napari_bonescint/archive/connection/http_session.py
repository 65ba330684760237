"""HTTP with an archive: to its own address only, with limits of time and size, and without following redirects.

Proxies and logins of the environment and of the home folder are not used.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from napari_bonescint.archive.connection.failures import connection_failure
from napari_bonescint.archive.connection.tls import client_context
from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.archive_setup import Login
from napari_bonescint.archive.setup.credentials import SecretKind, find_secret

if TYPE_CHECKING:
    import ssl

    from napari_bonescint.archive.setup.archive_setup import ArchiveSetup
    from napari_bonescint.archive.setup.credentials import Secret

MOST_JSON_BYTES = 32 * 2**20
"""Bytes of the answer to a search."""
MOST_SECONDS = 600.0
"""Longest time for one answer, however steadily it comes."""

_CHUNK = 2**16


class BoundedSession(requests.Session):
    """The session of one archive.

    Attributes
    ----------
    most_bytes : int
        Limit of the next answers.
    """

    def __init__(self, setup: ArchiveSetup) -> None:
        super().__init__()
        self._setup = setup
        self._origin = _origin(setup.url)
        self.most_bytes = MOST_JSON_BYTES
        self.trust_env = False
        self.proxies = {}
        self.auth = _auth(setup)
        self._sockets: list[socket.socket] = []
        for scheme in list(self.adapters):
            del self.adapters[scheme]
        is_tls = setup.url.startswith("https")
        adapter = _Adapter(client_context(setup) if is_tls else None, self._sockets)
        self.mount("https://" if is_tls else "http://", adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request, and read the whole answer within the limits."""
        if _origin(str(request.url)) != self._origin:
            raise ArchiveError(f"{self._setup.name}: named an address of another computer, which was not followed.")
        # dicomweb-client sets it without the port.
        request.headers.pop("Host", None)
        # Wildcards need no encoding, which some archives do not understand.
        request.url = str(request.url).replace("%2A", "*").replace("%3F", "?")
        self._sockets[:] = [each for each in self._sockets if each.fileno() >= 0]
        seconds = self._setup.answer_seconds
        kwargs.update(allow_redirects=False, stream=True, timeout=(min(5.0, seconds), seconds))
        host, port = self._setup.endpoint
        try:
            response = super().send(request, **kwargs)
            with response:
                self._require_known(response.status_code)
                response._content = self._read(response)
        except (requests.RequestException, OSError) as error:
            raise connection_failure(self._setup.name, host, port, error, seconds) from error
        return response

    def cut(self) -> None:
        """Close all connections at once, from any thread; whoever reads from one is told that it ended."""
        while self._sockets:
            with suppress(OSError, IndexError):
                self._sockets.pop().shutdown(socket.SHUT_RDWR)
        self.close()

    def _require_known(self, status: int) -> None:
        """Refuse redirects, and status codes that no server may send."""
        if 300 <= status < 400:
            raise ArchiveError(
                f"{self._setup.name}: sends on to another address, which was not followed; give the address of the "
                "DICOMweb service itself."
            )
        if not 200 <= status < 600:
            raise ArchiveError(f"{self._setup.name}: answered with the unknown code {status}; check the address.")

    def _read(self, response: requests.Response) -> bytes:
        until = time.monotonic() + MOST_SECONDS
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > self.most_bytes:
                most = self.most_bytes // 2**20
                raise ArchiveError(f"{self._setup.name}: the answer has more than {most} MB, so it was not taken.")
            if time.monotonic() > until:
                raise ArchiveError(
                    f"{self._setup.name}: the answer took more than {MOST_SECONDS / 60:.0f} minutes; try again."
                )
        return bytes(content)


class _Adapter(HTTPAdapter):
    """An adapter with one TLS context, in place of the settings of each request, that lists its sockets."""

    def __init__(self, context: ssl.SSLContext | None, sockets: list[socket.socket]) -> None:
        self._context = context
        self._sockets = sockets
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool: Any) -> None:
        if self._context is not None:
            pool["ssl_context"] = self._context
        super().init_poolmanager(connections, maxsize, block, **pool)
        sockets = self._sockets

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                sockets.append(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                sockets.append(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:  # noqa: ARG002
        host, _ = super().build_connection_pool_key_attributes(request, True, None)
        return host, {} if self._context is None else {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context verifies."""


class _Bearer(AuthBase):
    """A token in the header of each request, out of sight of `repr`."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        return request


class _Basic(AuthBase):
    """Basic login, out of sight of `repr`."""

    def __init__(self, user: str, secret: Secret) -> None:
        self._user, self._secret = user, secret

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        basic = HTTPBasicAuth(self._user.encode(), self._secret.reveal().encode())
        signed: requests.PreparedRequest = basic(request)
        return signed


def _auth(setup: ArchiveSetup) -> AuthBase | None:
    if setup.login is Login.NONE:
        return None
    kind = SecretKind.PASSWORD if setup.login is Login.BASIC else SecretKind.TOKEN
    secret = find_secret(setup, kind)
    if secret is None:
        raise ArchiveError(f"{setup.name}: the {kind} is missing; enter it in the set-up of the archive.")
    if any(character in secret.reveal() for character in "\r\n\0"):
        raise ArchiveError(f"{setup.name}: the {kind} has a line break; enter it again.")
    return _Bearer(secret) if setup.login is Login.BEARER else _Basic(setup.user, secret)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port
