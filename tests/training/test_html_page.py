from xml.etree import ElementTree

from napari_bonescint.training import html_page


def test_what_is_not_ours_is_escaped() -> None:
    parts = [html_page.heading("<b>"), html_page.paragraph("a & b"), html_page.table(["<i>"], [["<script>"]])]
    text = html_page.page("x < y", parts).decode()
    assert "<title>x &lt; y</title>" in text
    for escaped in ("&lt;b&gt;", "a &amp; b", "<th>&lt;i&gt;</th>", "<td>&lt;script&gt;</td>"):
        assert escaped in text


def test_a_picture_and_its_caption_are_inside() -> None:
    figure = ElementTree.fromstring(html_page.figure(b"abc", '"best" < worst').replace('">', '"/>', 1))  # noqa: S314
    image, caption = figure
    assert image.get("src") == "data:image/jpeg;base64,YWJj"
    assert image.get("alt") == caption.text == '"best" < worst'
