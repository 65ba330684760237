from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from napari_bonescint.corrections.errors import AddedOtherwise
from napari_bonescint.corrections.scan_to_store import NO_FILE, CorrectedScan, add_corrected
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.formats.dicom.identity import PERHAPS_BURNED_IN, read_identity
from napari_bonescint.formats.opening import open_scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.scan import Scan


def corrected(scan: Scan, *files: Path) -> CorrectedScan:
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[0, 5, 6] = 13
    return CorrectedScan(replace(scan, sources=()), files, regions, True, Origin.empty(), None)


def test_a_scan_goes_into_a_store_as_its_file_would(tmp_path: Path, write_nm: Callable[..., Path]) -> None:
    path, other = write_nm("scan.dcm", PatientID="42"), write_nm("other.dcm", PatientID="43")
    scan = open_scan(path)
    store, as_file = LabelStore.create(tmp_path / "store"), LabelStore.create(tmp_path / "as_file")
    (as_file.folder / "secret").write_bytes((store.folder / "secret").read_bytes())
    added = add_corrected(store, corrected(scan, other, path), annotator="AB", reviewed=False, comment="rib")
    key = as_file.add(scan, read_identity(path))
    assert (added.case, added.warnings) == (key, ())
    assert store.files(key).facts().patient_key == as_file.files(key).facts().patient_key
    assert store.revisions(key) == [added.revision]
    assert store.regions(key, added.revision.number)[0, 5, 6] == 13
    # Once more, it is the same case with one more revision.
    again = add_corrected(store, corrected(scan, path), annotator="CD", reviewed=True, comment="")
    assert (again.case, again.revision.number) == (key, 2)
    mirrored = replace(scan, counts=scan.counts[..., ::-1])
    with pytest.raises(AddedOtherwise, match="such as a mirrored view"):
        add_corrected(store, corrected(mirrored, path), annotator="AB", reviewed=False, comment="")


def test_a_scan_whose_file_is_gone_or_another_is_a_new_patients(tmp_path: Path, write_nm: Callable[..., Path]) -> None:
    path = write_nm("scan.dcm", PatientID="42")
    scan = open_scan(path)
    path.unlink()
    store = LabelStore.create(tmp_path / "store")
    added = add_corrected(
        store, corrected(scan, path, write_nm("other.dcm", PatientID="43")), annotator="AB", reviewed=False, comment=""
    )
    assert added.warnings == (NO_FILE,)
    assert store.find(scan) == added.case


def test_a_picture_has_no_identity_and_perhaps_a_name_in_its_pixels(tmp_path: Path, scan: Scan) -> None:
    store = LabelStore.create(tmp_path / "store")
    picture = tmp_path / "picture.png"
    Image.fromarray(scan.counts[0].astype(np.uint8)).save(picture)
    added = add_corrected(store, corrected(scan, picture), annotator="AB", reviewed=False, comment="")
    assert store.find(scan) == added.case
    assert added.warnings == (PERHAPS_BURNED_IN,)
