"""Templates of pages."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from napari_bonescint.text.html_templates import environment


def test_texts_are_escaped_and_a_missing_fact_is_an_error() -> None:
    made = environment("napari_bonescint.evaluation.report").from_string("{{ text }} {{ content | base64 }}")
    assert made.render(text="<b>", content=b"abc") == "&lt;b&gt; YWJj"
    with pytest.raises(UndefinedError):
        made.render(content=b"abc")
