"""Self-contained pages and pictures from the templates in ``templates/``: no script, font or picture from elsewhere."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, **facts: object) -> str:
    """Fill a template; every text is escaped.

    Parameters
    ----------
    template : str
        Name of its file.
    **facts
        What the template names.
    """
    return environment().get_template(template).render(facts)


@cache
def environment() -> Environment:
    """The templates; those who make no page do without Jinja2."""
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
