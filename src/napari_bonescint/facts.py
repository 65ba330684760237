"""Facts in JSON and TOML files, which anybody may have written: read within a limit, and checked for what they must be.

Cards, recipes, verdicts, results and the files of label stores are data from outside. Here they become objects whose
every entry has the type that its class states, or one sentence that names the file and the entry.
"""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from napari_bonescint.errors import BonescintError, raised_as

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

MOST_BYTES = 64 * 2**20
"""Of a file of facts; the largest that is written, an index of a large label store, has some megabytes."""

_LARGEST_INTEGER = 2**63
_SHOWN = 40


class FactError(ValueError):
    """Facts that are not what they must be; the text is a phrase such as ``grid_mm is 'wide'; it takes a number``."""


@contextmanager
def one_sentence(
    describe: Callable[[str], BonescintError], unreadable: Callable[[str], BonescintError] | None = None
) -> Iterator[None]:
    """Turn whatever is raised within into one sentence about what is read; what is a sentence already passes.

    Parameters
    ----------
    describe : callable
        Makes the error of the reason, a phrase: ``it is nested too deeply``.
    unreadable : callable, optional
        Makes it where the system does not give the file: ``No such file or directory``; otherwise `describe` does.

    Raises
    ------
    BonescintError
        What one of them made.
    """

    def tell(error: Exception) -> BonescintError:
        make = unreadable if unreadable is not None and isinstance(error, OSError) else describe
        return make(_reason(error))

    with raised_as(tell):
        yield


def read_json(path: Path, *, file_names: bool = False) -> object:
    """What a JSON file holds; raises whatever is wrong with it, so read it within `one_sentence`.

    Parameters
    ----------
    path : Path
    file_names : bool
        Whether its texts may be names of files, in which Python shows a byte that is no UTF-8 as half a character.
    """
    return parse_json(_content(path), file_names=file_names)


def parse_json(content: bytes, *, file_names: bool = False) -> object:
    """What JSON says; raises whatever is wrong with it, and `FactError` for texts that cannot be written again."""
    facts: object = json.loads(content)
    # JSON can hold halves of characters, which no file and no terminal can.
    if b"\\u" in content:
        try:
            json.dumps(facts, ensure_ascii=False).encode(errors="surrogateescape" if file_names else "strict")
        except UnicodeEncodeError as error:
            raise FactError("it holds halves of characters") from error
    return facts


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds; raises whatever is wrong with it, so read it within `one_sentence`."""
    return tomllib.loads(_content(path).decode())


def build(cls: type[T], facts: object, *, unknown: bool = False, **given: object) -> T:
    """An object of a dataclass or named tuple whose entries have the types that the class states.

    Numbers must be finite, texts are never made of anything else, and lists become tuples where a tuple is stated.

    Parameters
    ----------
    cls : type
        The class; its annotations must be known at run time.
    facts : object
        What a file says: a mapping by the names of the class.
    unknown : bool
        Whether there may be entries that the class lacks; they are left out.
    **given
        Entries that the caller knows and the file may not say.

    Raises
    ------
    FactError
        If an entry is missing, unknown, or of another type.
    """
    if not isinstance(facts, dict):
        raise FactError(f"{_shown(facts)} is no object with names")
    converters, optional = _taken_by(cls)
    wanted = {name: each for name, each in converters.items() if name not in given} if given else converters
    if not unknown and (odd := next((name for name in facts if name not in wanted), None)) is not None:
        raise FactError(f"there is an unknown entry {_shown(odd)}")
    if (lacking := next((name for name in wanted if name not in facts and name not in optional), None)) is not None:
        raise FactError(f"there is no {lacking}")
    return cls(**{name: each(facts[name], name) for name, each in wanted.items() if name in facts}, **given)


def converted(value: object, hint: Any, name: str) -> Any:
    """A value as an object of a type.

    Parameters
    ----------
    value : object
        What a file says.
    hint : type
        ``str``, ``int``, ``float``, ``bool``, an enumeration, a dataclass, or made of these by ``tuple``, ``list``,
        ``dict``, ``Mapping`` or ``|``.
    name : str
        What it is called in the error.

    Raises
    ------
    FactError
        If it is not of that type.
    """
    return _converter(hint)(value, name)


_Converter = Callable[[Any, str], Any]


def _converter(hint: Any) -> _Converter:
    """What turns values into objects of a type; made once for each, since stores hold thousands of files."""
    if hint not in _CONVERTERS:
        _CONVERTERS[hint] = _make_converter(hint)
    return _CONVERTERS[hint]


_CONVERTERS: dict[Any, _Converter] = {}


def _make_converter(hint: Any) -> _Converter:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return lambda value, _name: value
    if origin in (Union, types.UnionType):
        return _one_of(inner)
    if origin is tuple and inner[-1] is not Ellipsis:
        return _row_of(inner)
    if origin in (list, tuple):
        return _list_of(origin, inner[0])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_to(inner[1])
    if hint in _SIMPLE:
        return _simple(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member_of(hint)
    return lambda value, _name: build(hint, value)


def _simple(hint: Any) -> _Converter:
    right, wanted = _SIMPLE[hint]

    def convert(value: Any, name: str) -> Any:
        if not right(value):
            raise FactError(f"{name} is {_shown(value)}; it takes {wanted}")
        return float(value) if hint is float else value

    return convert


def _member_of(hint: type[Enum]) -> _Converter:
    members = {member.value: member for member in hint}

    def convert(value: Any, name: str) -> Any:
        if not isinstance(value, str) or value not in members:
            raise FactError(f"{name} is {_shown(value)}; it takes one of {', '.join(map(str, members))}")
        return members[value]

    return convert


def _one_of(hints: tuple[Any, ...]) -> _Converter:
    allows_none = type(None) in hints
    *others, last = [_converter(hint) for hint in hints if hint is not type(None)]

    def convert(value: Any, name: str) -> Any:
        if value is None and allows_none:
            return None
        for other in others:
            try:
                return other(value, name)
            except FactError:
                continue
        return last(value, name)

    return convert


def _row_of(hints: tuple[Any, ...]) -> _Converter:
    converters = [_converter(hint) for hint in hints]

    def convert(value: Any, name: str) -> Any:
        if not isinstance(value, list) or len(value) != len(converters):
            raise FactError(f"{name} is {_shown(value)}; it takes a list of {len(converters)}")
        return tuple(each(item, name) for each, item in zip(converters, value, strict=True))

    return convert


def _list_of(kind: type, hint: Any) -> _Converter:
    item_of = _converter(hint)

    def convert(value: Any, name: str) -> Any:
        if not isinstance(value, list):
            raise FactError(f"{name} is {_shown(value)}; it takes a list")
        return kind(item_of(item, name) for item in value)

    return convert


def _mapping_to(hint: Any) -> _Converter:
    value_of = _converter(hint)

    def convert(value: Any, name: str) -> Any:
        if not isinstance(value, dict):
            raise FactError(f"{name} is {_shown(value)}; it takes an object with names")
        return {str(key): value_of(item, f"{name}.{_shown(key)}") for key, item in value.items()}

    return convert


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf and _fits(value)


def _fits(value: float) -> bool:
    return not isinstance(value, int) or abs(value) < _LARGEST_INTEGER


_SIMPLE: Mapping[object, tuple[Callable[[object], bool], str]] = {
    bool: (lambda value: isinstance(value, bool), "true or false"),
    int: (lambda value: isinstance(value, int) and _is_number(value), "a whole number"),
    float: (_is_number, "a number"),
    str: (lambda value: isinstance(value, str), "a text"),
}


def _taken_by(cls: Any) -> tuple[dict[str, _Converter], frozenset[str]]:
    """What converts the entries that make an object of a class, by name, and which of them can be left out."""
    if cls not in _KNOWN:
        hints = typing.get_type_hints(cls)
        if dataclasses.is_dataclass(cls):
            fields = [field for field in dataclasses.fields(cls) if field.init]
            needed = {f.name for f in fields if f.default is f.default_factory is dataclasses.MISSING}
            names = [field.name for field in fields]
        else:
            names, needed = cls._fields, set(cls._fields) - set(cls._field_defaults)
        _KNOWN[cls] = {name: _converter(hints[name]) for name in names}, frozenset(set(names) - needed)
    return _KNOWN[cls]


_KNOWN: dict[Any, tuple[dict[str, _Converter], frozenset[str]]] = {}


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FactError(f"it has more than {MOST_BYTES // 2**20} MB")
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    if isinstance(error, ValueError):
        return " ".join(str(error).split()) or type(error).__name__
    return type(error).__name__


def _shown(value: object) -> str:
    """A value as it may be printed: in one line, and cut off where it is long."""
    text = ascii(value) if not isinstance(value, (dict, list)) or len(value) < _SHOWN else f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
