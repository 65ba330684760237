"""Segmenting and measuring many scans in one process, in several processes, or on a Dask cluster."""
