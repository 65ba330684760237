"""Reading scans and writing masks: one module per on-disk format, and `opening` in front of them."""
