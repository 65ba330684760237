"""The set-up of one archive, and what can be wrong with it."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from napari_bonescint.files.names import is_file_name

_TITLE = re.compile(r"[ -\[\]-~]{1,16}")  # printable ASCII without the backslash


class Kind(StrEnum):
    """How an archive is spoken with."""

    DICOMWEB = "dicomweb"
    RECEIVER = "receiver"
    """It sends images here (C-STORE) and takes results."""
    QUERY_RETRIEVE = "query-retrieve"
    """C-FIND, and C-GET or C-MOVE."""


class Login(StrEnum):
    """How a DICOMweb archive knows its users."""

    NONE = "none"
    BASIC = "basic"
    BEARER = "bearer"


@dataclass(frozen=True)
class ArchiveSetup:
    """The set-up of one archive; secrets are in `credentials`.

    Attributes
    ----------
    name : str
        The user's name for it.
    kind : Kind
    url : str
        Of DICOMweb, such as ``https://pacs.example/dicom-web``.
    login : Login
    user : str
        For basic login.
    host, port, title : str, int, str
        Address and AE title of the archive; of DICOMweb, unused.
    own_title : str
        The AE title of this computer.
    tls : bool
        Whether connections to `host` use TLS.
    authority : str
        PEM file with the certificates of authorities to trust in place of the system's.
    certificate, key : str
        PEM files with this computer's certificate and its key; shown to archives that ask for one, and to senders.
    address, own_port : str, int
        Where this computer listens for images, by C-MOVE or the receiver.
    own_tls : bool
        Whether senders must use TLS.
    sender_authority : str
        PEM file with the certificates of authorities; if given, senders must show a certificate of one of them.
    allowed_titles : tuple of str
        Calling AE titles that may send images; empty for the archive's own title.
    answer_seconds : float
        Longest wait for an answer.
    """

    name: str
    kind: Kind
    url: str = ""
    login: Login = Login.NONE
    user: str = ""
    host: str = ""
    port: int = 0
    title: str = ""
    own_title: str = "BONESCINT"
    tls: bool = False
    authority: str = ""
    certificate: str = ""
    key: str = ""
    address: str = "127.0.0.1"
    own_port: int = 0
    own_tls: bool = False
    sender_authority: str = ""
    allowed_titles: tuple[str, ...] = ()
    answer_seconds: float = 8.0

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port of the archive, the only ones that are connected to."""
        if self.kind is not Kind.DICOMWEB:
            return self.host, self.port
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def callers(self) -> tuple[str, ...]:
        """Calling AE titles that may send images."""
        return self.allowed_titles or ((self.title,) if self.title else ())

    @property
    def listening(self) -> str:
        """One sentence on where this computer takes images, and from whom."""
        tls = " with TLS" if self.own_tls else ""
        callers = ", ".join(self.callers)
        return f"{self.own_title} listens at {self.address} port {self.own_port}{tls} for {callers}."

    def problem(self) -> str:
        """One sentence on what is wrong with the set-up; empty if it can be used."""
        if not is_file_name(self.name):
            return "The name of an archive has letters, digits, spaces, dots and hyphens; change it."
        if not 1 <= self.answer_seconds <= 60:
            return f"{self.name}: the longest wait for an answer is between 1 and 60 seconds; change it."
        if bool(self.certificate) != bool(self.key):
            return f"{self.name}: a certificate needs both its file and the file of its key; give both."
        for file in filter(None, (self.authority, self.certificate, self.key, self.sender_authority)):
            if not Path(file).is_file():
                return f"{self.name}: the certificate file {Path(file).name} does not exist; check its path."
        return self._web_problem() if self.kind is Kind.DICOMWEB else self._dimse_problem()

    def _web_problem(self) -> str:
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in ("https", "http") or not host or port == 0 or parts.query or parts.fragment:
            return f"{self.name}: the address must be like https://pacs.example/dicom-web; change it."
        if parts.username is not None or parts.password is not None:
            return f"{self.name}: the address holds a login; remove it, and give user and password by themselves."
        needs_tls = self.login is not Login.NONE or bool(self.certificate)
        if parts.scheme == "http" and needs_tls and not is_loopback(host):
            return f"{self.name}: a login over http can be read by others; use an address with https."
        if self.login is Login.BASIC and not self.user:
            return f"{self.name}: basic login needs a user; give one."
        return ""

    def _dimse_problem(self) -> str:
        for title in (self.own_title, self.title, *self.allowed_titles):
            if title and (not _TITLE.fullmatch(title) or title != title.strip()):
                return f"{self.name}: an AE title has 1 to 16 plain characters; change {title!r}."
        if not self.own_title:
            return f"{self.name}: this computer needs an AE title; give one."
        if self.kind is Kind.QUERY_RETRIEVE and not self.host:
            return f"{self.name}: the host of the archive is missing; give one."
        if self.host and not (0 < self.port < 2**16 and self.title):
            return f"{self.name}: an archive with a host needs its port and AE title; give both."
        if self.kind is Kind.RECEIVER and not self.own_port:
            return f"{self.name}: the port for receiving images is missing; give one, such as 11112."
        if self.kind is Kind.RECEIVER and not self.callers:
            return f"{self.name}: no AE title may send images; give those that may."
        if self.own_tls and not self.certificate:
            return f"{self.name}: receiving with TLS needs this computer's certificate and its key; give both files."
        if self.sender_authority and not self.own_tls:
            return f"{self.name}: an authority for senders needs TLS for receiving; switch it on."
        if not 0 <= self.own_port < 2**16:
            return f"{self.name}: the port for receiving images must be at most 65535; change it."
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            return f"{self.name}: {self.address!r} is no address of this computer, such as 127.0.0.1; change it."
        return ""


def is_loopback(host: str) -> bool:
    """True if a host is this computer by its name or number."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
