"""The napari side: reader, sample data and dock widgets. Nothing here does arithmetic on counts or masks."""
