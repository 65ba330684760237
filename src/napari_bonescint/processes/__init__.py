"""Processes: starting and ending children, and stopping other packages from sending data."""
