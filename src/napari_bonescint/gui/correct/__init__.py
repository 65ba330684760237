"""The panel in which masks are corrected."""
