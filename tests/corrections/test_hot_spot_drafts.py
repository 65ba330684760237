"""Unsaved hot spots are found again by the pixels of their scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections import scan_drafts
from napari_bonescint.corrections.hot_spot_drafts import HotSpotDrafts, any_drafts
from napari_bonescint.corrections.scan_drafts import has_draft_of_view
from napari_bonescint.corrections.store.records.found_hot_spots import FoundPixels
from napari_bonescint.corrections.store.records.hot_spot_revision import SpotDecision
from napari_bonescint.scan import ViewName

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan

DECISIONS = (SpotDecision(ViewName.ANTERIOR, 2, suspicious=True, by_reader=True, probability=0.25),)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(scan_drafts.FOLDER_VARIABLE, str(tmp_path / "drafts"))
    return tmp_path / "drafts"


def test_a_draft_is_found_by_the_pixels_of_its_scan(scan: Scan, folder: Path) -> None:
    labels = np.zeros(scan.counts.shape, np.uint16)
    labels[0, 5, 5] = 2
    drafts = HotSpotDrafts(scan.counts)
    assert not any_drafts()
    assert drafts.find() is None
    drafts.discard()
    changed = (FoundPixels(ViewName.POSTERIOR, 7, 3, 4, 1),)
    drafts.save(labels, DECISIONS, changed)
    assert any_drafts()
    found = HotSpotDrafts(scan.counts.copy()).find()
    assert found is not None
    np.testing.assert_array_equal(found.labels, labels)
    assert (found.spots, found.changed) == (DECISIONS, changed)
    assert HotSpotDrafts(scan.counts + np.uint16(1)).find() is None
    # It is no draft of a mask, which the panel Correct masks would offer.
    assert not has_draft_of_view(scan.counts[0])
    (path,) = folder.glob("*.hotspots")
    path.write_bytes(path.read_bytes()[:-40])
    assert drafts.find() is None
    drafts.discard()
    assert not any_drafts()
