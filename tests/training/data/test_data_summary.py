from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.label_store import LabelStore
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.errors import BonescintError
from napari_bonescint.training.data.data_summary import DataSummary, summarise_stores

if TYPE_CHECKING:
    from pathlib import Path

    from napari_bonescint.scan import Scan


def test_what_is_counted_is_what_a_training_takes(tmp_path: Path, scan: Scan) -> None:
    store = LabelStore.create(tmp_path / "store")
    regions = np.zeros(scan.counts.shape, np.uint8)
    regions[:, 20:60, 25:40], regions[:, 60:110, 25:40] = 3, 4
    for number in range(12):
        key = store.add(replace(scan, counts=scan.counts + np.uint16(number), source_sha256=f"{number}"))
        if number != 5:
            store.save(key, regions, Origin.empty(), annotator="AB", reviewed=number != 4)
    supply, selection = summarise_stores([store.folder]), select([store])
    assert supply.scans + supply.validation_scans + supply.held_out_scans == 10
    assert supply.scans == len(selection.training)
    assert supply.validation_scans == len(selection.validation)
    assert supply.held_out_scans == len(selection.held_out)


def test_it_is_said_when_there_is_too_little_to_learn_or_to_judge() -> None:
    assert "no reviewed mask" in DataSummary(0, 0, 0, 0, 1, 1).sentence
    assert "needs at least 5 held-out patients" in DataSummary(9, 3, 2, 1, 4, 4).sentence
    assert DataSummary(9, 3, 2, 1, 9, 5).sentence == (
        "Training: 9 reviewed scans of 3 patients. Validation: 2 scans of 1 patient. "
        "Held out for comparison: 9 scans of 5 patients."
    )


def test_a_folder_that_is_no_store_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BonescintError, match=str(tmp_path)):
        summarise_stores([tmp_path])
