"""The picture of the sacroiliac joints: the measured regions on the view, and the profile beside them."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pypdfium2
from PIL import Image

from napari_bonescint.measurement.measures import Measured
from napari_bonescint.measurement.measuring import remeasure
from napari_bonescint.measurement.report.content import content_of
from napari_bonescint.measurement.report.html import encode_html
from napari_bonescint.measurement.report.pdf import encode_pdf
from napari_bonescint.measurement.report.pictures import draw_views
from napari_bonescint.measurement.report.sacroiliac_picture import JOINT_COLOUR, SACRUM_COLOUR, draw_sacroiliac


def measured(body) -> Measured:
    return Measured(body.labels, remeasure(body.scan, body.regions, body.labels))


def places_of(image: np.ndarray, colour: str) -> np.ndarray:
    """Columns with a colour, in the picture of the view, which is left of the plot."""
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return np.nonzero((np.abs(image[:, :-780].astype(int) - wanted) < 30).all(axis=2))[1]


def test_joints_and_sacrum_are_outlined_and_the_pages_have_the_profile(body):
    body.heat(1, slice(200, 230), slice(88, 96), 1.5)
    numbers = measured(body)
    picture = draw_sacroiliac(body.scan, body.regions, numbers)
    image = np.asarray(Image.open(io.BytesIO(picture.png)))
    assert image.shape == (picture.height, picture.width, 3)
    joints, sacrum = places_of(image, JOINT_COLOUR), places_of(image, SACRUM_COLOUR)
    middle = sacrum.mean()
    # Joints: 8 mm on each side of borders that are 42 mm apart, so from 13 to 29 mm beside the middle.
    reach = np.abs(joints - middle)
    assert reach.min() / reach.max() < 0.55
    assert abs(joints.mean() - middle) < 0.05 * reach.max()
    assert np.ptp(sacrum) / (2 * reach.max()) < 0.45
    # The same picture with its caption is on the pages.
    content = content_of(body.scan, numbers, source="ef" * 32)
    views = draw_views(body.scan, body.regions, numbers)
    html = encode_html(content, views, picture).decode()
    assert html.count("<img ") == 2
    document = pypdfium2.PdfDocument(encode_pdf(content, views, picture)[0])
    text = " ".join(" ".join(page.get_textpage().get_text_bounded().split()) for page in document)
    document.close()
    for page in (html, text):
        assert "Sacroiliac joints (orange) and sacrum (violet) in the posterior view" in page
    assert "Sacroiliac joints (orange)" not in encode_html(content, views).decode()


def test_there_is_no_picture_where_nothing_is_measured(body):
    body.labels[1][body.regions[1] > 0] = 1
    assert draw_sacroiliac(body.scan, body.regions, measured(body)) is None
    body.labels[:] = 0
    grey = replace(body.scan, counts=np.minimum(body.counts, 255).astype(np.uint8))
    assert draw_sacroiliac(grey, body.regions, measured(body)) is None
    front = replace(body.scan, counts=body.counts[:1], views=body.scan.views[:1])
    numbers = Measured(body.labels[:1], remeasure(front, body.regions[:1], body.labels[:1]))
    assert draw_sacroiliac(front, body.regions[:1], numbers) is None
