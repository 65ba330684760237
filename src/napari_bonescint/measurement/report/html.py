"""Write a report as one self-contained page for a browser, which prints on one or two sheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.measurement.report.changes import CHANGE_HEADINGS
from napari_bonescint.measurement.report.content import HOT_SPOT_HEADINGS, NUMBER_COLUMNS
from napari_bonescint.measurement.report.pictures import OTHER_COLOUR, SUSPICIOUS_COLOUR
from napari_bonescint.text.html_templates import environment

if TYPE_CHECKING:
    from napari_bonescint.measurement.report.content import Content
    from napari_bonescint.measurement.report.pictures import Picture


def encode_html(content: Content, picture: Picture, sacroiliac: Picture | None = None) -> bytes:
    """The page, with the picture of the views and that of the sacroiliac joints in it."""
    template = environment("napari_bonescint.measurement.report").get_template("report.html.jinja")
    page = template.render(
        content=content,
        picture=picture,
        sacroiliac=sacroiliac,
        hot_spot_headings=HOT_SPOT_HEADINGS,
        number_columns=NUMBER_COLUMNS,
        change_headings=CHANGE_HEADINGS,
        suspicious_colour=SUSPICIOUS_COLOUR,
        other_colour=OTHER_COLOUR,
    )
    return page.encode()
