"""The dialog that writes the report of a measured scan."""
