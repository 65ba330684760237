"""The records of a case: predictions, revisions of its mask and of its hot spots."""
