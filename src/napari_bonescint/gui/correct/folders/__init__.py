"""Folders of scans and label stores: the dialog for a store, and what was left out of a folder."""
