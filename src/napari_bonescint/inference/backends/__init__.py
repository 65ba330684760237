"""Engines that compute a network: one file each, and `choice` has their table."""
