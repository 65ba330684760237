"""The kinds of archives: one file each."""
