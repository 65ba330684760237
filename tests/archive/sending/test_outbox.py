from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from archive_peers.patients import write_scan
from archive_peers.results import seg_of
from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.sending.outgoing import prepare

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.archive.sending.outgoing import Outgoing


@pytest.fixture
def objects(tmp_path: Path) -> tuple[Outgoing, ...]:
    scan = write_scan(tmp_path / "scan.dcm", 1)
    return prepare([seg_of(scan, tmp_path / f"{number}.dcm") for number in range(2)], scan)


def test_a_parcel_lasts_until_its_last_result_is_sent(objects: tuple[Outgoing, ...]) -> None:
    outbox = Outbox()
    assert outbox.parcels() == ()
    parcel = outbox.put("pacs", objects, "scan-1")
    assert outbox.put("pacs", (), "scan-1") == parcel
    assert parcel.objects() == objects
    assert outbox.parcels("else") == ()
    parcel.remove(objects[0].instance_uid)
    (again,) = Outbox().parcels("pacs")
    assert again.objects() == objects[1:]
    again.remove(objects[1].instance_uid)
    assert Outbox().parcels() == ()
    assert list(outbox.folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_only_the_owner_reads_it(objects: tuple[Outgoing, ...]) -> None:
    parcel = Outbox().put("pacs", objects, "scan-1")
    assert parcel.folder.stat().st_mode & 0o077 == parcel.folder.parent.stat().st_mode & 0o077 == 0


def test_a_damaged_parcel_is_left_alone(objects: tuple[Outgoing, ...]) -> None:
    outbox = Outbox()
    parcel = outbox.put("pacs", objects, "scan-1")
    (parcel.folder / "parcel.json").write_text('{"archive": "pacs", "files": ["../../x"]}')
    assert outbox.parcels() == ()
    assert parcel.folder.exists()
