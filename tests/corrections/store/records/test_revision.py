"""Who saved a revision, when and from what, comes back as it was written, or is one sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.corrections.errors import Damaged, StoreError
from napari_bonescint.corrections.store.files import append_only
from napari_bonescint.corrections.store.files.checksummed_json import seal
from napari_bonescint.corrections.store.records.revision import Origin, Revision

if TYPE_CHECKING:
    from pathlib import Path

ORIGINS = {
    "model fdn-13": Origin.of_model("fdn-13", "ab" * 32),
    "revision 7": Origin.of_revision(7),
    "an empty mask": Origin.empty(),
    "an imported mask": Origin.imported(),
}


def revision(number: int, origin: Origin) -> Revision:
    return Revision(
        number=number,
        annotator="Zoë Müller-李",
        when="2026-03-01T09:30:00+00:00",
        reviewed=True,
        comment='left "hand"\nnot seen',
        origin=origin,
        names_regions=False,
        image_sha256="1" * 64,
        mask_sha256="2" * 64,
    )


@pytest.mark.parametrize("called", ORIGINS)
def test_a_revision_comes_back_with_what_it_was_made_from(tmp_path: Path, called: str) -> None:
    written = revision(1, ORIGINS[called])
    assert append_only.append(tmp_path, {".tif": b"mask"}, written.as_facts()) == 1
    read = Revision.read(tmp_path, 1)
    assert read == written
    assert str(read.origin) == called


def test_a_file_says_of_an_origin_only_what_holds_for_it() -> None:
    assert ORIGINS["an empty mask"].as_facts() == {"kind": "empty"}
    assert ORIGINS["revision 7"].as_facts() == {"kind": "revision", "revision": 7}


def test_a_revision_is_numbered_by_its_file(tmp_path: Path) -> None:
    facts = revision(1, Origin.empty()).as_facts()
    (tmp_path / "0041.json").write_bytes(seal(facts))
    assert "number" not in facts
    assert Revision.read(tmp_path, 41).number == 41


def test_a_revision_that_is_missing_or_cut_off_is_named(tmp_path: Path) -> None:
    path = tmp_path / "0001.json"
    with pytest.raises(Damaged, match=r"0001\.json: is missing\.$"):
        Revision.read(tmp_path, 1)
    whole = seal(revision(1, Origin.empty()).as_facts())
    for cut in (0, 1, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:cut])
        with pytest.raises(Damaged, match=r"0001\.json: is damaged, or was changed by something other than"):
            Revision.read(tmp_path, 1)


def test_a_hand_that_turns_a_revision_into_a_reviewed_one_is_found_out(tmp_path: Path) -> None:
    facts = {**revision(1, Origin.empty()).as_facts(), "reviewed": False}
    (tmp_path / "0001.json").write_bytes(seal(facts).replace(b'"reviewed": false', b'"reviewed": true'))
    assert json.loads((tmp_path / "0001.json").read_bytes())["reviewed"] is True
    with pytest.raises(Damaged, match=r"was changed by something other than bonescint\.$"):
        Revision.read(tmp_path, 1)


@pytest.mark.parametrize(
    "other",
    [{"origin": {"kind": "oracle"}}, {"origin": {}}, {"origin": None}, {"origin": {"kind": "empty", "x": 1}}, {"x": 1}],
)
def test_a_revision_of_another_version_is_one_sentence(tmp_path: Path, other: dict[str, object]) -> None:
    (tmp_path / "0001.json").write_bytes(seal({**revision(1, Origin.empty()).as_facts(), **other}))
    with pytest.raises(Damaged, match=r"0001\.json: is no revision that this version of bonescint can read\.$"):
        Revision.read(tmp_path, 1)


def test_a_revision_that_cannot_be_reached_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "0001.json").mkdir()
    with pytest.raises(StoreError, match=r"0001\.json: cannot be reached .*; is the folder still there") as raised:
        Revision.read(tmp_path, 1)
    assert not isinstance(raised.value, Damaged)


@pytest.mark.parametrize(
    "change",
    [
        {"annotator": 5},
        {"when": None},
        {"reviewed": "yes"},
        {"comment": ["a"]},
        {"origin": []},
        {"origin": {"kind": "model", "model": 5}},
        {"origin": {"kind": "model", "path": "/etc"}},
        {"names_regions": 1},
        {"number": 2},
    ],
)
def test_sealed_facts_of_other_kinds_are_no_revision(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "0001.json").write_bytes(seal({**revision(1, Origin.empty()).as_facts(), **change}))
    with pytest.raises(Damaged, match=r"0001\.json: is no revision that this version of bonescint can read\.$"):
        Revision.read(tmp_path, 1)
