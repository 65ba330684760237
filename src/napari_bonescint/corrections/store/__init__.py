"""The label store: cases, numbered revisions, patients; a folder that is only ever added to."""
