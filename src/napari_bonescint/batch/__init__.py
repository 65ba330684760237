"""Segmenting many scans: in this process, in several on this computer, or on a Dask cluster."""
