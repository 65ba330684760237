"""Set-ups of archives in a real dialog."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backends.fail import Keyring as NoBackend
from qtpy.QtWidgets import QWidget

from archive_peers.orthanc import PASSWORD, USER
from gui.panel_actions import PATIENCE_MS
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from napari_bonescint.archive.setup.credentials import SecretKind, find_secret
from napari_bonescint.archive.setup.setups_file import keep_setup, read_setups, setups_file
from napari_bonescint.gui.archive.setup_dialog import SetupDialog
from napari_bonescint.gui.archive.setup_form import SetupForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from archive_peers.orthanc import Orthanc

WARD = ArchiveSetup(
    "ward",
    Kind.RECEIVER,
    host="10.0.0.7",
    port=104,
    title="PACS",
    tls=True,
    address="10.0.0.20",
    own_port=11112,
    own_tls=True,
    sender_authority="/etc/ssl/senders.pem",
    allowed_titles=("WS1", "WS2"),
    answer_seconds=5.0,
)


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[SetupDialog]:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = SetupDialog(parent)
    dialog.show()
    assert not dialog.form.container.enabled
    qtbot.waitUntil(lambda: dialog.form.container.enabled, timeout=PATIENCE_MS)
    yield dialog
    dialog.close()


@pytest.mark.parametrize(
    "setup",
    [
        WARD,
        ArchiveSetup("old", Kind.QUERY_RETRIEVE, host="10.0.0.7", port=104, title="PACS", own_port=11113),
        ArchiveSetup("web", Kind.DICOMWEB, url="https://pacs.example/dicom-web", login=Login.BASIC, user="me"),
        ArchiveSetup("token", Kind.DICOMWEB, url="https://pacs.example/dicom-web", login=Login.BEARER),
    ],
)
def test_the_form_gives_what_it_shows(qtbot: QtBot, setup: ArchiveSetup) -> None:
    form = SetupForm()
    qtbot.addWidget(form.container.native)
    form.show(setup)
    form.container.native.show()
    assert form.setup == setup
    assert form.url.visible is (setup.kind is Kind.DICOMWEB)
    assert form.host.visible is (setup.kind is not Kind.DICOMWEB)
    assert form.allowed.visible is (setup.kind is Kind.RECEIVER)
    assert form.own_tls.visible is (setup.kind is not Kind.DICOMWEB)
    assert form.sender_authority.visible is setup.own_tls
    assert form.password.visible is (setup.login is Login.BASIC)
    assert form.token.visible is (setup.login is Login.BEARER)


def test_an_archive_is_kept_and_removed(dialog: SetupDialog, qtbot: QtBot) -> None:
    form = dialog.form
    form.name.value = "web"
    dialog.save_button.click()
    qtbot.waitUntil(lambda: "must be like https://" in dialog.message.text())
    form.url.value, form.login.value, form.user.value = "https://pacs.example/dicom-web", "basic", "me"
    form.password.value = "s3cret-word"
    dialog.save_button.click()
    qtbot.waitUntil(lambda: dialog.message.text() == "Saved.")
    qtbot.waitUntil(lambda: dialog.archive.value == "web" and form.container.enabled)
    (kept,) = read_setups()
    assert (kept.url, kept.user) == ("https://pacs.example/dicom-web", "me")
    assert "s3cret-word" not in setups_file().read_text()
    assert form.password.value == ""
    secret = find_secret(kept, SecretKind.PASSWORD)
    assert secret is not None
    assert secret.reveal() == "s3cret-word"
    keep_setup(replace(WARD, own_tls=False, sender_authority=""))
    dialog.remove_button.click()
    qtbot.waitUntil(lambda: dialog.message.text() == "Removed.")
    assert [setup.name for setup in read_setups()] == ["ward"]
    qtbot.waitUntil(lambda: form.name.value == "ward")
    assert find_secret(kept, SecretKind.PASSWORD) is None


@pytest.mark.archive
def test_a_test_says_what_answers_and_what_fails(dialog: SetupDialog, qtbot: QtBot, orthanc: Orthanc) -> None:
    form = dialog.form
    form.name.value, form.url.value = "mine", orthanc.url
    form.login.value, form.user.value, form.password.value = "basic", USER, "wrong-word"

    def told() -> str:
        dialog.test_button.click()
        qtbot.waitUntil(dialog.test_button.isEnabled, timeout=PATIENCE_MS)
        return dialog.message.text()

    assert told().startswith("mine: ")
    assert "wrong-word" not in dialog.message.text()
    form.password.value = PASSWORD
    assert told().startswith("mine: DICOMweb answers as test after ")
    form.url.value = f"http://127.0.0.1:{orthanc.napari_port}/dicom-web"
    assert told().startswith("mine: ")
    assert read_setups() == ()


def test_an_archive_is_kept_also_where_there_is_no_keyring(dialog: SetupDialog, qtbot: QtBot) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(NoBackend())
    try:
        form = dialog.form
        form.name.value, form.url.value = "web", "https://pacs.example/dicom-web"
        form.login.value, form.user.value, form.password.value = "basic", "me", "s3cret-word"
        dialog.save_button.click()
        qtbot.waitUntil(lambda: dialog.archive.value == "web" and form.container.enabled)
        assert dialog.message.text() == (
            "Saved. What was typed is used until napari closes. web: this system has no keyring that keeps the "
            "password; set the environment variable BONESCINT_ARCHIVE_WEB_PASSWORD instead."
        )
        (kept,) = read_setups()
        secret = find_secret(kept, SecretKind.PASSWORD)
        assert secret is not None
        assert secret.reveal() == "s3cret-word"
        dialog.remove_button.click()
        qtbot.waitUntil(lambda: dialog.message.text() == "Removed.")
        assert find_secret(kept, SecretKind.PASSWORD) is None
    finally:
        keyring.set_keyring(before)
