"""Scans in PNG and TIFF files."""
