"""The files that a label store is made of: TIFF, JSON with a checksum, and numbered records."""
