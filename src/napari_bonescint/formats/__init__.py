"""Reading scans and writing masks: one module per on-disk format, and `opening` in front of them."""

import logging

# tifffile logs what is odd in a file; without a handler Python would print that at the user, beside our own sentence.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
