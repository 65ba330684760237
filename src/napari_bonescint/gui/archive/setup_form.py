"""The form of an archive's set-up: it shows the fields that its kind needs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, ComboBox, Container, FileEdit, FloatSpinBox, LineEdit, Password, SpinBox, Widget

from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from napari_bonescint.archive.setup.credentials import Secret, SecretKind
from napari_bonescint.gui.widgets.label_column import align_fields

_KINDS = [
    ("DICOMweb", str(Kind.DICOMWEB)),
    ("Receive, and send by C-STORE", str(Kind.RECEIVER)),
    ("C-FIND with C-GET or C-MOVE", str(Kind.QUERY_RETRIEVE)),
]
_LOGINS = [("None", str(Login.NONE)), ("User and password", str(Login.BASIC)), ("Token", str(Login.BEARER))]
_KEPT = "kept in the system's keyring; leave empty to keep what is there"


class SetupForm:
    """Fields in `container`."""

    def __init__(self) -> None:
        self.name = LineEdit(label="Name", tooltip="Your name for the archive")
        self.kind = ComboBox(label="Kind", choices=_KINDS, value=str(Kind.DICOMWEB))
        self.url = LineEdit(label="Address", tooltip="Such as https://pacs.example/dicom-web")
        self.login = ComboBox(label="Login", choices=_LOGINS, value=str(Login.NONE))
        self.user = LineEdit(label="User")
        self.password = Password(label="Password", tooltip=f"Password, {_KEPT}")
        self.token = Password(label="Token", tooltip=f"Token, {_KEPT}")
        self.host = LineEdit(label="Host", tooltip="Name or number of the archive's computer")
        self.port = SpinBox(label="Port", min=0, max=65535, value=104)
        self.title = LineEdit(label="AE title", tooltip="The archive's")
        self.own_title = LineEdit(label="Own AE title", tooltip="That of this computer", value="BONESCINT")
        self.address = LineEdit(label="Listen at", tooltip="Address of this computer where images arrive")
        self.own_port = SpinBox(label="Own port", min=0, max=65535, tooltip="Where images arrive; 0 for none")
        self.allowed = LineEdit(label="May send", tooltip="AE titles, separated by commas; empty for the archive's own")
        self.tls = CheckBox(text="TLS to the archive")
        self.own_tls = CheckBox(text="TLS for what arrives", tooltip="Needs the certificate of this computer, below")
        self.sender_authority = _file(
            "Senders' authority", "PEM file; if given, senders must show a certificate of this authority"
        )
        self.authority = _file("Authority", "PEM file of your own certificate authority; empty for the system's")
        self.certificate = _file("Certificate", "PEM file of this computer's certificate; needed to receive by TLS")
        self.key = _file("Its key", "PEM file of the certificate's key")
        self.key_password = Password(label="Password of key", tooltip=f"Password of the key, {_KEPT}")
        self.seconds = FloatSpinBox(label="Longest wait", min=1, max=60, value=8, step=1, tooltip="Seconds")
        web = {Kind.DICOMWEB}
        dimse = {Kind.RECEIVER, Kind.QUERY_RETRIEVE}
        self._kinds: dict[Widget, set[Kind]] = {
            **dict.fromkeys((self.url, self.login), web),
            **dict.fromkeys((self.host, self.port, self.title, self.own_title, self.tls), dimse),
            **dict.fromkeys((self.address, self.own_port, self.own_tls), dimse),
            self.allowed: {Kind.RECEIVER},
        }
        fields = [
            *(self.name, self.kind, self.url, self.login, self.user, self.password, self.token),
            *(self.host, self.port, self.title, self.tls, self.own_title, self.address, self.own_port, self.allowed),
            *(self.own_tls, self.sender_authority),
            *(self.authority, self.certificate, self.key, self.key_password, self.seconds),
        ]
        self.container: Container[Any] = Container(widgets=fields)
        align_fields(self.container.native)
        self.container.margins = (0, 0, 0, 0)
        self.kind.changed.connect(self._show_fields)
        self.login.changed.connect(self._show_fields)
        self.own_tls.changed.connect(self._show_fields)
        self.show(ArchiveSetup("", Kind.DICOMWEB, port=104))

    @property
    def setup(self) -> ArchiveSetup:
        """The set-up in the fields, without secrets; entries of another kind have their defaults."""
        kind, login = Kind(self.kind.value), Login(self.login.value)
        common = ArchiveSetup(
            self.name.value.strip(),
            kind,
            authority=self.authority.line_edit.value.strip(),
            certificate=self.certificate.line_edit.value.strip(),
            key=self.key.line_edit.value.strip(),
            answer_seconds=self.seconds.value,
        )
        if kind is Kind.DICOMWEB:
            user = self.user.value.strip() if login is Login.BASIC else ""
            return replace(common, url=self.url.value.strip(), login=login, user=user)
        host = self.host.value.strip()
        titles = [title.strip() for title in self.allowed.value.split(",")] if kind is Kind.RECEIVER else []
        return replace(
            common,
            host=host,
            port=self.port.value if host else 0,
            title=self.title.value.strip(),
            own_title=self.own_title.value.strip(),
            tls=self.tls.value,
            address=self.address.value.strip(),
            own_port=self.own_port.value,
            own_tls=self.own_tls.value,
            sender_authority=self.sender_authority.line_edit.value.strip() if self.own_tls.value else "",
            allowed_titles=tuple(filter(None, titles)),
        )

    @property
    def secrets(self) -> dict[SecretKind, Secret]:
        """The secrets that were typed, of those that the set-up needs."""
        fields = {SecretKind.PASSWORD: self.password, SecretKind.TOKEN: self.token}
        fields[SecretKind.KEY_PASSWORD] = self.key_password
        return {kind: Secret(field.value) for kind, field in fields.items() if field.value and self._is_needed(field)}

    def show(self, setup: ArchiveSetup) -> None:
        """Fill the fields, those of secrets with nothing."""
        self.name.value, self.kind.value, self.url.value = setup.name, str(setup.kind), setup.url
        self.login.value, self.user.value = str(setup.login), setup.user
        self.host.value, self.port.value, self.title.value = setup.host, setup.port or 104, setup.title
        self.own_title.value, self.address.value, self.own_port.value = setup.own_title, setup.address, setup.own_port
        self.allowed.value, self.tls.value = ", ".join(setup.allowed_titles), setup.tls
        self.own_tls.value = setup.own_tls
        for field, text in (
            (self.authority, setup.authority),
            (self.certificate, setup.certificate),
            (self.key, setup.key),
            (self.sender_authority, setup.sender_authority),
        ):
            field.line_edit.value = text
        for secret in (self.password, self.token, self.key_password):
            secret.value = ""
        self.seconds.value = setup.answer_seconds
        self._show_fields()

    def _show_fields(self) -> None:
        for field in self._kinds:
            field.visible = self._is_needed(field)
        for field in (self.user, self.password, self.token, self.sender_authority):
            field.visible = self._is_needed(field)

    def _is_needed(self, field: Widget) -> bool:
        kind, login = Kind(self.kind.value), Login(self.login.value)
        if field in (self.user, self.password):
            return kind is Kind.DICOMWEB and login is Login.BASIC
        if field is self.token:
            return kind is Kind.DICOMWEB and login is Login.BEARER
        if field is self.sender_authority:
            return kind is not Kind.DICOMWEB and bool(self.own_tls.value)
        return kind in self._kinds.get(field, {kind})


def _file(label: str, tooltip: str) -> FileEdit:
    field = FileEdit(label=label, mode=FileDialogMode.EXISTING_FILE, tooltip=tooltip, value=Path())
    field.choose_btn.text = "Choose …"
    field.line_edit.value = ""
    return field
