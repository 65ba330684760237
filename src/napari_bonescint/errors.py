"""Errors whose text is one sentence for the person who caused them."""


class BonescintError(Exception):
    """Something a user can understand and act on; `str(error)` is a whole sentence."""


class Cancelled(BonescintError):
    """The user cancelled; nothing was kept."""
