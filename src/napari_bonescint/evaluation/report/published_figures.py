"""Figures published for these networks in a slide deck, measured on private data.

Source: "Semantic segmentation of the skeleton in bone scintigraphy images with convolutional neural networks", slide
deck. It does not define its loss, nor the sizes of its images and its data set. Its figures are for orientation only,
because data and task differ.
"""

from typing import NamedTuple


class Published(NamedTuple):
    """One row of the deck's table of results."""

    validation_loss: float
    training_dice: float
    validation_dice: float
    test_dice: float


PUBLISHED: dict[str, Published] = {
    "dln-11": Published(0.1672, 0.8661, 0.8466, 0.8212),
    "fdn-5": Published(0.3026, 0.7421, 0.7417, 0.5572),
    "fdn-11": Published(0.0566, 0.9472, 0.9459, 0.9219),
    "fdn-11e": Published(0.0520, 0.9523, 0.9528, 0.6039),
    "fdn-11be": Published(0.0559, 0.9648, 0.9501, 0.9220),
    "fdn-13": Published(0.0490, 0.9570, 0.9526, 0.9341),
    "fdn-16": Published(0.0466, 0.9682, 0.9546, 0.9105),
    "fdn-16e": Published(0.0438, 0.9842, 0.9572, 0.9286),
    "fdn-16be": Published(0.0533, 0.9938, 0.9481, 0.9203),
    "u-net": Published(0.0933, 0.9523, 0.9110, 0.8591),
    "uri-net": Published(0.0516, 0.9881, 0.9498, 0.8289),
}
