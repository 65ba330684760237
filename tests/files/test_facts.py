"""What files say becomes objects with the stated types, or one sentence."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - `build` looks at the types
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest

from napari_bonescint.errors import BonescintError
from napari_bonescint.files.facts import FactError, build, one_sentence, read_json, read_toml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclass(frozen=True)
class Thing:
    name: str
    number: int
    size: float = 1.0
    colour: Colour = Colour.RED
    spacing: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    points: list[Point] = field(default_factory=list)
    of_region: dict[str, int] = field(default_factory=dict)
    acquisition: Mapping[str, str | int | float] = field(default_factory=dict)
    anything: Any = None
    is_new: bool = False


def test_objects_come_out_as_their_classes_say() -> None:
    thing = build(
        Thing,
        {
            "name": "a",
            "number": 3,
            "size": 2,
            "colour": "blue",
            "spacing": [1, 2.5],
            "names": ["b", "c"],
            "points": [{"x": 1}, {"x": 2, "y": 3}],
            "of_region": {"skull": 1},
            "acquisition": {"matrix": "1x1", "counts": 5, "time": 1.5},
            "anything": [None],
            "is_new": True,
        },
    )
    assert thing == Thing(
        *("a", 3, 2.0, Colour.BLUE, (1.0, 2.5), ("b", "c"), [Point(1.0), Point(2.0, 3.0)]),
        *({"skull": 1}, {"matrix": "1x1", "counts": 5, "time": 1.5}, [None], True),
    )
    assert isinstance(thing.size, float)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"name": 5}, "name is 5; it takes a text"),
        ({"name": None}, "name is None; it takes a text"),
        ({"name": ["a"]}, r"name is \['a'\]; it takes a text"),
        ({"number": 1.5}, "number is 1.5; it takes a whole number"),
        ({"number": True}, "number is True; it takes a whole number"),
        ({"number": 10**400}, "number is 10000.*; it takes a whole number"),
        ({"size": float("nan")}, "size is nan; it takes a number"),
        ({"size": float("inf")}, "size is inf; it takes a number"),
        ({"size": "2"}, "size is '2'; it takes a number"),
        ({"colour": "green"}, "colour is 'green'; it takes one of red, blue"),
        ({"colour": []}, r"colour is \[\]; it takes one of"),
        ({"spacing": [1]}, r"spacing is \[1\]; it takes a list of 2"),
        ({"spacing": 3}, "spacing is 3; it takes a list"),
        ({"names": "bc"}, "names is 'bc'; it takes a list"),
        ({"points": [{"x": 1, "z": 2}]}, "unknown entry 'z'"),
        ({"points": [[1, 2]]}, "is no object with names"),
        ({"of_region": {"skull": "much"}}, "of_region.skull is 'much'; it takes a whole number"),
        ({"of_region": [1]}, r"of_region is \[1\]; it takes an object with names"),
        ({"acquisition": {"a": {}}}, "it takes a number"),
        ({"is_new": 1}, "is_new is 1; it takes true or false"),
        ({"\x1b[2Jodd": 1}, r"unknown entry '\\x1b\[2Jodd'"),
    ],
)
def test_every_wrong_kind_is_named(change: dict[str, object], phrase: str) -> None:
    with pytest.raises(FactError, match=phrase) as raised:
        build(Thing, {"name": "a", "number": 1, **change})
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 120


def test_what_is_missing_or_given_twice_is_named() -> None:
    with pytest.raises(FactError, match="there is no number"):
        build(Thing, {"name": "a"})
    with pytest.raises(FactError, match="unknown entry 'number'"):
        build(Thing, {"name": "a", "number": 1}, number=2)
    assert build(Thing, {"name": "a", "more": 1}, unknown=True, number=2) == Thing("a", 2)


class WrongError(BonescintError):
    pass


def reading(path: Path, read: Callable[[Path], object]) -> object:
    with one_sentence(
        lambda reason: WrongError(f"{path.name}: {reason}."), lambda reason: WrongError(f"unreadable: {reason}.")
    ):
        return read(path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[" * 100_000, "facts: it is nested too deeply."),
        (b"\xff\xfe\x00", "facts: it is no text."),
        (b"", "facts: Expecting value"),
        (rb'{"name": "\ud800"}', "facts: it holds halves of characters."),
        (b"{", "facts: Expecting property name"),
    ],
)
def test_whatever_is_wrong_with_a_file_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "facts").write_bytes(content)
    with pytest.raises(WrongError) as raised:
        reading(tmp_path / "facts", read_json)
    assert str(raised.value).startswith(sentence)


def test_files_that_are_not_there_or_no_files_are_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        for read in (read_json, read_toml):
            with pytest.raises(WrongError, match=r"^unreadable: .*\.$"):
                reading(path, read)


def test_a_sentence_passes_unchanged() -> None:
    with pytest.raises(BonescintError, match=r"^As it is\.$"), one_sentence(WrongError):
        raise BonescintError("As it is.")
