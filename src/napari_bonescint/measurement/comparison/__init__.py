"""Comparison of a scan with earlier ones of the same patient."""
