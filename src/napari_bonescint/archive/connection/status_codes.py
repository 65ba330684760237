"""Words for the status codes by which archives refuse (PS3.4 and PS3.7)."""

from __future__ import annotations


def failure_reason(code: int) -> str:
    """One phrase on a failure, with its code."""
    if code >> 8 == 0xA7 or code == 0x0213:
        words = "it is out of storage or other resources"
    elif code >> 8 == 0xA8 or code == 0x0122:
        words = "it does not take this kind of object"
    elif code >> 8 == 0xA9 or code == 0x0117:
        words = "the object's identifiers do not fit its request"
    elif code >> 12 == 0xC:
        words = "it cannot understand the object"
    elif code in (0x0124, 0x0212):
        words = "this computer may not do that; ask its administrator"
    elif code == 0xA801:
        words = "it does not know the AE title of this computer"
    elif code == 0x0111:
        words = "it has this object already"
    elif code == 0x0110:
        words = "it failed inside"
    else:
        words = "it gives no reason that is known"
    return f"{words}, code {code:04X}"
