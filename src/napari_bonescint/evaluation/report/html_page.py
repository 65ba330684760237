"""Make self-contained pages and diagrams from the templates in ``templates/``, without scripts or external files."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **facts: object) -> str:
    """Fill the template in the file `template` with `facts`; every text is escaped."""
    return environment().get_template(template).render(facts)


@cache
def environment() -> Environment:
    """The templates; Jinja2 is imported only when a page is made."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return found
