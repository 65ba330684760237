from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from napari_bonescint.evaluation.report.html_page import render
from napari_bonescint.text.html_templates import environment

if TYPE_CHECKING:
    from collections.abc import Callable

SECTION = {
    "title": "<b>",
    "facts": "a & b",
    "groups": [],
    "headings": ["<i>"],
    "rows": [["<script>"]],
    "diagram": "<svg/>",
    "pictures": [],
}


def part(name: str) -> Callable[..., str]:
    macro: Callable[..., str] = getattr(
        environment("napari_bonescint.evaluation.report").get_template("parts.html.jinja").module, name
    )
    return macro


def test_what_is_not_ours_is_escaped() -> None:
    text = render("scores.html.jinja", title="x < y", sections=[SECTION], colours={})
    assert "<title>x &lt; y</title>" in text
    for escaped in ("&lt;b&gt;", "a &amp; b", "<th>&lt;i&gt;</th>", "<td>&lt;script&gt;</td>"):
        assert escaped in text


def test_columns_have_headings_of_their_own_and_common_ones() -> None:
    table = part("table")(
        ("region", "Dice", "mm"),
        [("ribs", "0.9", "2"), ("skull", "0.8", "3")],
        groups=[("", 1), ("<front>", 2)],
        colours={"ribs": "#76b7b2"},
    )
    above, below, ribs, skull = ElementTree.fromstring(table)  # noqa: S314 - our own
    assert [(cell.text, cell.get("colspan")) for cell in above] == [(None, None), ("<front>", "2")]
    assert [cell.text for cell in below] == ["region", "Dice", "mm"]
    swatch = ribs[0][0]
    assert swatch.get("style") == "background: #76b7b2"
    assert swatch.tail == "ribs"
    assert [cell.text for cell in skull] == ["skull", "0.8", "3"]


def test_a_picture_and_its_caption_are_inside() -> None:
    figure = ElementTree.fromstring(part("figure")(b"abc", '"best" < worst'))  # noqa: S314 - our own
    image, caption = figure
    assert image.get("src") == "data:image/jpeg;base64,YWJj"
    assert image.get("alt") == caption.text == '"best" < worst'
