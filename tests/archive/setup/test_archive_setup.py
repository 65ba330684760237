from __future__ import annotations

from dataclasses import replace

import pytest

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from napari_bonescint.archive.setup.setups_file import keep_setup

WEB = ArchiveSetup("pacs", Kind.DICOMWEB, url="https://pacs.example:8443/dicom-web", login=Login.BASIC, user="reader")
DIMSE = ArchiveSetup("old", Kind.QUERY_RETRIEVE, host="10.0.0.7", port=104, title="PACS")
RECEIVER = ArchiveSetup("ward", Kind.RECEIVER, own_port=11112, allowed_titles=("WORKSTATION",))


@pytest.mark.parametrize(
    ("setup", "said"),
    [
        (replace(WEB, name="../pacs"), "The name of an archive"),
        (replace(WEB, url="ftp://pacs.example"), "the address must be like https://"),
        (replace(WEB, url="https://"), "the address must be like https://"),
        (replace(WEB, url="https://[::1"), "the address must be like https://"),
        (replace(WEB, url="https://pacs:99999/x"), "the address must be like https://"),
        (replace(WEB, url="https://me:secret@pacs.example/"), "the address holds a login"),
        (replace(WEB, url="http://pacs.example/"), "a login over http can be read by others"),
        (replace(WEB, user=""), "basic login needs a user"),
        (replace(WEB, authority="/nowhere/ca.pem"), "the certificate file ca.pem does not exist"),
        (replace(WEB, certificate=__file__), "needs both its file and the file of its key"),
        (replace(WEB, answer_seconds=0.0), "the longest wait"),
        (replace(DIMSE, host=""), "the host of the archive is missing"),
        (replace(DIMSE, title=""), "needs its port and AE title"),
        (replace(DIMSE, title="SEVENTEEN LETTERS"), "an AE title has 1 to 16 plain characters"),
        (replace(DIMSE, own_title=""), "this computer needs an AE title"),
        (replace(RECEIVER, own_port=0), "the port for receiving images is missing"),
        (replace(RECEIVER, allowed_titles=()), "no AE title may send images"),
        (replace(RECEIVER, own_tls=True), "receiving with TLS needs this computer's certificate and its key"),
        (replace(RECEIVER, sender_authority=__file__), "an authority for senders needs TLS for receiving"),
        (replace(RECEIVER, address="everywhere"), "is no address of this computer"),
    ],
)
def test_a_wrong_set_up_is_told_in_a_sentence(setup: ArchiveSetup, said: str) -> None:
    assert said in setup.problem()
    with pytest.raises(ArchiveError):
        keep_setup(setup)


def test_a_set_up_for_this_computer_may_log_in_without_tls() -> None:
    assert replace(WEB, url="http://127.0.0.1:8042/dicom-web").problem() == ""
    assert replace(WEB, url="http://localhost:8042/dicom-web").problem() == ""


def test_a_receiver_says_where_it_listens() -> None:
    assert RECEIVER.listening == "BONESCINT listens at 127.0.0.1 port 11112 for WORKSTATION."
    assert "port 11112 with TLS for" in replace(RECEIVER, own_tls=True).listening
