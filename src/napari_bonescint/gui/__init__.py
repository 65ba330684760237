"""The napari plugin: readers, writers, sample data and panels, without arithmetic on counts or masks."""
