"""A card tells which scans a model learnt from to whoever has them, and to nobody else whose they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from judged import bar_scan, corrected_store
from napari_bonescint.corrections.selection import select
from napari_bonescint.corrections.store.records.revision import Origin
from napari_bonescint.evaluation.lineage import Lineage, lineage_after
from napari_bonescint.inference.model_card import ModelError, read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.inference.model_card import ModelCard


def learnt(card: ModelCard, folder: Path, ancestors: tuple[ModelCard, ...] = (), first: int = 0) -> ModelCard:
    """The card after a training on two scans of a store of their own, read back from its file."""
    store = corrected_store(folder, 2, Origin.empty(), held_out=False, first=first)
    after = replace(card, learnt_from=lineage_after(ancestors, select([store]).scans))
    assert after.path is not None
    after.path.write_text(after.to_json(), encoding="utf-8")
    return read_card(after.path)


def test_each_view_of_a_scan_is_known_again_however_it_was_added(
    make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    lineage = Lineage.of(learnt(make_model(), tmp_path / "store"))
    counts = bar_scan(0)[0].counts
    for same in (counts, counts[:1], counts[1:], counts[:, :, ::-1], counts[::-1], counts.astype(np.int32)):
        assert lineage.holds(same)
    for other in (bar_scan(2)[0].counts, counts[:, 1:], counts + np.uint16(1), counts[:, ::-1]):
        assert not lineage.holds(other)


def test_two_generations_on_all_is_still_known(make_model: Callable[..., ModelCard], tmp_path: Path) -> None:
    first = learnt(make_model("first"), tmp_path / "a")
    second = learnt(make_model("second"), tmp_path / "b", (first,), first=2)
    third = learnt(make_model("third"), tmp_path / "c", (second, first), first=4)
    lineage = Lineage.of(third)
    assert [lineage.holds(bar_scan(seed)[0].counts) for seed in range(7)] == [True] * 6 + [False]
    assert len(lineage.of_salt) == 3
    assert lineage.unrecorded == ()


def test_the_same_scans_have_other_fingerprints_on_another_card(
    make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    one, other = (learnt(make_model(name), tmp_path / f"{name}-store") for name in ("one", "other"))
    assert one.learnt_from is not None
    assert other.learnt_from is not None
    assert one.learnt_from[0]["salt"] != other.learnt_from[0]["salt"]
    assert not set(one.learnt_from[0]["views"]) & set(other.learnt_from[0]["views"])


def test_nothing_on_a_card_leads_to_a_store_or_patient(make_model: Callable[..., ModelCard], tmp_path: Path) -> None:
    scans = select([corrected_store(tmp_path / "store", 2, Origin.empty())]).scans
    text = replace(make_model(), learnt_from=lineage_after([], scans)).to_json()
    for scan in scans:
        for secret in (scan.case, scan.patient_key, scan.image_sha256[:32], scan.mask_sha256[:32]):
            assert secret not in text


def test_what_earlier_versions_did_not_record_is_said_to_be_unknown_by_all_that_come_after(
    make_model: Callable[..., ModelCard], tmp_path: Path
) -> None:
    old = replace(make_model("old"), training={"data": "9 corrected scans of 5 patients"})
    assert Lineage.of(old).unrecorded == ("model old",)
    assert Lineage.of(learnt(make_model("new"), tmp_path / "store", (old,))).unrecorded == ("model old",)
    simulated = replace(make_model("plain"), training={"data": "simulated: some skeleton"})
    assert Lineage.of(simulated) == Lineage({}, ())


def test_a_scan_that_cannot_be_read_any_more_is_not_forgotten(tmp_path: Path) -> None:
    store = corrected_store(tmp_path / "store", 2, Origin.empty(), held_out=False)
    scans = select([store]).scans
    (store.folder / "cases" / scans[0].case / "counts.tif").unlink()
    *_, last = lineage_after([], scans)
    assert last == {"unrecorded": "1 scan that could not be read at the end of the training"}


@pytest.mark.parametrize("damaged", [[{"salt": "xy", "views": []}], [{"views": []}], ["a"], [{"salt": 1, "views": []}]])
def test_a_card_that_tells_nonsense_is_refused(make_model: Callable[..., ModelCard], damaged: list[object]) -> None:
    card = replace(make_model(), learnt_from=damaged)
    with pytest.raises(ModelError, match="has no readable list of the scans that the model learnt from"):
        Lineage.of(card)
