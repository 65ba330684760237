"""Planar nuclear medicine images in DICOM files."""
