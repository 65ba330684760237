from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from judged import bar_scan, corrected_store, threshold_model
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.lineage import lineage_after
from napari_bonescint.evaluation.unseen import unseen_by
from napari_bonescint.formats.dicom.identity import Identity

if TYPE_CHECKING:
    from pathlib import Path


def test_all_scans_of_a_patient_are_left_out_if_one_was_learnt_from(tmp_path: Path) -> None:
    trained = select([corrected_store(tmp_path / "trained", 1, Origin.empty(), held_out=False)]).scans
    card = replace(threshold_model(tmp_path, "new", 0.5), learnt_from=lineage_after([], trained))
    # Other scans of the first patient; the one that was learnt from is there, too, but nobody corrected it.
    store = corrected_store(tmp_path / "judged", 3, Origin.empty(), first=10, uncorrected=bar_scan(0)[0])
    scans = select([store]).held_out
    unseen = unseen_by([card], scans)
    assert len(scans) == 3
    assert len(unseen.scans) == 2
    assert unseen.sentences == [
        (
            "Left out: 1 scan of 1 patient, because model new or one of its ancestors learnt from scans of the same "
            "patients."
        )
    ]


def test_a_patient_who_is_known_under_two_keys_is_left_out_as_a_whole(tmp_path: Path) -> None:
    trained = select([corrected_store(tmp_path / "trained", 1, Origin.empty(), held_out=False)]).scans
    card = replace(threshold_model(tmp_path, "new", 0.5), learnt_from=lineage_after([], trained))
    store = corrected_store(tmp_path / "judged", 2, Origin.empty(), first=10)
    facts = store.files(store.keys()[0]).facts()
    store.add(bar_scan(0)[0], Identity("another number"), same_as=[facts.patient_key])
    assert len(unseen_by([card], select([store]).held_out).scans) == 1


def test_what_is_not_recorded_is_said(tmp_path: Path) -> None:
    card = replace(threshold_model(tmp_path, "new", 0.5), training={"data": "3 corrected scans of 3 patients"})
    store = corrected_store(tmp_path / "judged", 2, Origin.empty())
    unseen = unseen_by([card], select([store]).held_out)
    assert len(unseen.scans) == 2
    (sentence,) = unseen.sentences
    assert sentence.startswith("The training data of model new are not fully recorded (model new)")
