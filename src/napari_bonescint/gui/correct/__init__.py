"""The panel "Correct masks"."""
