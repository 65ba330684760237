"""Facts come back as they were sealed, and whatever else a file holds is found out."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_bonescint.corrections.errors import Damaged
from napari_bonescint.corrections.store.files.checksummed_json import read_sealed, seal, unseal

FACTS = {"annotator": "Zoë", "spacing_mm": [2.1, 7 / 3], "comment": "", "reviewed": True, "origin": None}
PATH = Path("0001.json")

_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
_ANY = st.recursive(_PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@settings(max_examples=60, deadline=None)
@given(facts=st.dictionaries(st.text(), _ANY, max_size=5))
def test_any_facts_come_back(facts: dict[str, object]) -> None:
    assert unseal(PATH, seal(facts)) == facts


def test_a_file_is_json_that_people_can_read() -> None:
    text = seal(FACTS).decode()
    assert json.loads(text)["annotator"] == "Zoë"
    assert '\n "annotator": "Zoë",\n' in text
    assert text.endswith("}\n")


def test_no_single_byte_that_is_lost_or_changed_makes_other_facts() -> None:
    whole = seal(FACTS)
    told: list[dict[str, object]] = []
    for i in range(len(whole)):
        for wrong in (whole[:i] + whole[i + 1 :], whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :]):
            with suppress(Damaged):
                told.append(unseal(PATH, wrong))
    # Space between the facts, and a digit too small to matter, are no facts.
    assert len(told) < 60
    assert all(facts == FACTS for facts in told)


def test_the_order_and_spacing_of_facts_do_not_matter() -> None:
    facts = json.loads(seal(FACTS))
    assert unseal(PATH, json.dumps(dict(reversed(facts.items()))).encode()) == FACTS


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 501, b"\xff\xfe", b"[]", b"3", b"null", b'"text"', b"{}", b'{"facts_sha256": 1}', b"{" * 9]
)
def test_what_was_never_sealed_is_one_sentence_that_names_the_file(content: bytes) -> None:
    with pytest.raises(Damaged, match=r"^0001\.json: is damaged, or was changed by something other than bonescint\.$"):
        unseal(PATH, content)


def test_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match=r"case\.json: is missing\.$"):
        read_sealed(tmp_path / "case.json")
    (tmp_path / "case.json").write_bytes(seal(FACTS))
    assert read_sealed(tmp_path / "case.json") == FACTS
