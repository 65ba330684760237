"""Facts in JSON and TOML files, which anybody may have written: read within a limit, and checked for what they must be.

Cards, recipes, verdicts, results and the files of label stores are data from outside. Here they become objects whose
every entry has the type that its class states, or one sentence that names the file and the entry.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from napari_bonescint.errors import BonescintError, converted_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails, SchemaValidator

T = TypeVar("T")

MOST_BYTES = 64 * 2**20
"""Of a file of facts; the largest that is written, an index of a large label store, has some megabytes."""

_SHOWN = 40
_STRICT: dict[str, dict[str, Any]] = {
    "bool": {"strict": True},
    "float": {"strict": True, "allow_inf_nan": False},
    "int": {"strict": True, "gt": -(2**63), "lt": 2**63},
    "str": {"strict": True},
}
_WANTED = {
    "bool_type": "true or false",
    "dict_type": "an object with names",
    "finite_number": "a number",
    "float_type": "a number",
    "greater_than": "a whole number",
    "int_type": "a whole number",
    "less_than": "a whole number",
    "list_type": "a list",
    "string_type": "a text",
    "tuple_type": "a list",
}


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

    with converted_errors(tell):
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
    """An object of a dataclass, or of a list or dict of them, whose entries have the types that the class states.

    Numbers must be finite, texts are never made of anything else, and lists become tuples where a tuple is stated.

    Parameters
    ----------
    cls : type
        Its annotations must be known at run time.
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
    from pydantic import ValidationError

    if isinstance(facts, dict) and unknown:
        names = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        facts = {name: fact for name, fact in facts.items() if name in names - given.keys()}
    if isinstance(facts, dict) and given:
        if odd := given.keys() & facts.keys():
            raise FactError(f"there is an unknown entry {_shown(odd.pop())}")
        facts = {**facts, **given}
    try:
        (made,) = _validator(cls).validate_python([facts])  # type: ignore[arg-type]  # a class can be hashed
    except ValidationError as error:
        raise FactError(_phrase(error.errors(include_url=False), [facts])) from error
    return made  # type: ignore[no-any-return]


@cache
def _validator(cls: Any) -> SchemaValidator:
    """What makes objects of a class: pydantic, imported when it is needed, since not every command does."""
    from pydantic import ConfigDict, TypeAdapter
    from pydantic_core import SchemaValidator

    # Within a list, since a dataclass alone takes no configuration from here.
    return SchemaValidator(_strict(TypeAdapter(list[cls], config=ConfigDict(extra="forbid")).core_schema))


def _strict(schema: Any) -> Any:
    """The schema with plain values that are made of nothing else; pydantic's own strict mode has no tuples in JSON."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if isinstance(schema, dict):
        return {**{name: _strict(each) for name, each in schema.items()}, **_STRICT.get(str(schema.get("type")), {})}
    return schema


def _phrase(errors: Sequence[ErrorDetails], facts: object) -> str:
    """The first thing that is wrong, in words."""
    place, value = _found(errors[0], facts)
    # Of the types that an entry may have, each complains; of a list that is too short, each item that is missing.
    error = [each for each in errors if _found(each, facts)[0] == place][-1]
    kind, last, context = error["type"], error["loc"][-1], error.get("ctx", {})
    name = ".".join(part if part.isidentifier() else _shown(part) for part in place if isinstance(part, str))
    if kind == "unexpected_keyword_argument":
        return f"there is an unknown entry {_shown(last)}"
    if kind == "missing" and isinstance(last, str):
        return f"there is no {errors[0]['loc'][-1]}"
    if kind == "dataclass_type":
        return f"{name} {_shown(value)} is no object with names".lstrip()
    wanted = _WANTED.get(kind, error["msg"])
    if kind in ("missing", "too_long"):
        wanted = f"a list of {context['max_length'] if context else int(last) + 1}"
    if kind == "enum":
        wanted = "one of " + context["expected"].replace("'", "").replace(" or ", ", ")
    return f"{name} is {_shown(value)}; it takes {wanted}"


def _found(error: ErrorDetails, facts: object) -> tuple[list[int | str], Any]:
    """Where in the facts an error is, and what stands there; its `loc` goes on to the type that was tried."""
    place: list[int | str] = []
    value: Any = facts
    for part in error["loc"]:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            break
        place.append(part)
    return place, value


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
