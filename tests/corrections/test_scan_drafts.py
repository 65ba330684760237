"""Drafts of scans without a store: found by pixels, whole or absent, and nobody else's business."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections import scan_drafts
from napari_bonescint.corrections.scan_drafts import ScanDrafts, drafts_folder, has_draft_of_view
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.files.atomic import CannotWrite

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(scan_drafts.FOLDER_VARIABLE, str(tmp_path / "user" / "drafts"))
    return drafts_folder()


@pytest.fixture
def mask(scan: Scan) -> np.ndarray:
    mask = np.zeros(scan.counts.shape, np.uint8)
    mask[0, 5, 6], mask[1, 7, 8] = 13, 2
    return mask


def test_a_draft_is_found_by_the_pixels_of_its_scan_in_any_order_of_views(scan: Scan, mask: np.ndarray) -> None:
    assert not has_draft_of_view(scan.counts[0])
    ScanDrafts.of(scan.counts, names_regions=True).save(mask, Origin.of_model("tiny", "0" * 64))
    draft = ScanDrafts.of(scan.counts, names_regions=True).find()
    assert draft is not None
    np.testing.assert_array_equal(draft.regions, mask)
    assert draft.origin == Origin.of_model("tiny", "0" * 64)
    turned = ScanDrafts.of(scan.counts[::-1], names_regions=True).find()
    assert turned is not None
    np.testing.assert_array_equal(turned.regions, mask[::-1])
    assert all(has_draft_of_view(view) for view in scan.counts)
    for other in (scan.counts + np.uint16(1), scan.counts[:1], scan.counts.astype(np.int32)):
        assert ScanDrafts.of(other, names_regions=True).find() is None
    skeleton = ScanDrafts.of(scan.counts, names_regions=False)
    assert skeleton.find() is None
    skeleton.save((mask > 0).astype(np.uint8), Origin.empty())
    ScanDrafts.of(scan.counts, names_regions=True).discard()
    assert ScanDrafts.of(scan.counts, names_regions=True).find() is None
    assert skeleton.find() is not None


def test_a_damaged_draft_is_none(scan: Scan, mask: np.ndarray, folder: Path) -> None:
    drafts = ScanDrafts.of(scan.counts, names_regions=True)
    drafts.save(mask, Origin.empty())
    (path,) = folder.glob("*.npz")
    path.write_bytes(path.read_bytes()[:100])
    assert drafts.find() is None


@pytest.mark.skipif(sys.platform == "win32", reason="rights as Linux and macOS know them")
def test_only_the_user_can_read_the_folder(scan: Scan, mask: np.ndarray, folder: Path) -> None:
    ScanDrafts.of(scan.counts, names_regions=True).save(mask, Origin.empty())
    assert folder.stat().st_mode & 0o077 == 0


def test_a_scan_is_claimed_once(scan: Scan) -> None:
    drafts = ScanDrafts.of(scan.counts, names_regions=True)
    claim = drafts.claim()
    assert claim is not None
    assert ScanDrafts.of(scan.counts[::-1], names_regions=True).claim() is None
    claim.release()
    again = drafts.claim()
    assert again is not None
    again.release()


def test_a_folder_that_cannot_be_made_is_one_sentence(scan: Scan, mask: np.ndarray, folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file")
    with pytest.raises(CannotWrite, match="drafts: cannot be made"):
        ScanDrafts.of(scan.counts, names_regions=True).save(mask, Origin.empty())
    assert folder.read_text() == "a file"
