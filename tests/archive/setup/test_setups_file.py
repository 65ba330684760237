from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind
from napari_bonescint.archive.setup.setups_file import find_setup, keep_setup, read_setups, setups_file

WEB = ArchiveSetup("pacs", Kind.DICOMWEB, url="https://pacs.example:8443/dicom-web")
DIMSE = ArchiveSetup("old", Kind.QUERY_RETRIEVE, host="10.0.0.7", port=104, title="PACS")
RECEIVER = ArchiveSetup("ward", Kind.RECEIVER, own_port=11112, allowed_titles=("WORKSTATION",))


def test_set_ups_are_kept_in_a_file_for_the_owner_alone() -> None:
    for setup in (WEB, DIMSE, RECEIVER, replace(WEB, user="other")):
        keep_setup(setup)
    assert read_setups() == (DIMSE, RECEIVER, replace(WEB, user="other"))
    assert find_setup("ward") == RECEIVER
    assert (WEB.endpoint, DIMSE.endpoint) == (("pacs.example", 8443), ("10.0.0.7", 104))
    assert DIMSE.callers == ("PACS",)
    # What stands at its default is not written.
    assert json.loads(setups_file().read_text())[0] == {
        "name": "old", "kind": "query-retrieve", "host": "10.0.0.7", "port": 104, "title": "PACS",
    }  # fmt: skip
    if os.name != "nt":
        assert setups_file().stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "content",
    [
        "{",
        '[{"name": "a"}]',
        '[{"name": "a", "kind": "fax"}]',
        '[{"name": "a", "kind": "dicomweb", "password": "x"}]',
        '[{"name": "a", "kind": "dicomweb"}, {"name": "a", "kind": "dicomweb"}]',
        "[" * 100000,
    ],
)
def test_a_damaged_file_of_set_ups_is_told(content: str) -> None:
    setups_file().parent.mkdir(parents=True)
    setups_file().write_text(content)
    with pytest.raises(ArchiveError, match="is no list of archives"):
        read_setups()
