"""Read scans, and read and write masks: one module for each format; `opening` chooses the format."""

import logging

# tifffile logs oddities of a file; without a handler Python prints them beside our own message.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
