from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from judged import corrected_store
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.training.data.training_data import TrainingData
from napari_bonescint.training.loop.validation import has_validation, validation_scans

if TYPE_CHECKING:
    from pathlib import Path


def test_a_validation_scan_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    selection = select([corrected_store(tmp_path / "store", 4, Origin.empty())])
    scans = selection.scans
    material = TrainingData(replace(selection, training=scans[:1], validation=scans[1:], held_out=[]), None, ())
    assert has_validation(material)
    damaged = scans[1]
    (damaged.store_folder / "cases" / damaged.case / "counts.tif").write_bytes(b"II*\0")
    assert [reference.name for reference in validation_scans(material)] == [scan.case for scan in scans[2:]]
