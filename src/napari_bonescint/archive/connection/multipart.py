"""Bodies of several parts (RFC 2046), in which DICOMweb sends and takes DICOM files."""

from __future__ import annotations

import secrets
from email.message import Message
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_BOUNDARY = 200


def parts(content_type: str, body: bytes) -> list[bytes]:
    """The parts of a body without their headers; a body that is no multipart is one part.

    Raises
    ------
    ValueError
        If the body is cut off or has no boundary.
    """
    header = Message()
    header["Content-Type"] = content_type.replace("\r", "").replace("\n", "")
    if header.get_content_maintype() != "multipart":
        return [body]
    boundary = header.get_boundary()
    if not boundary or len(boundary) > _MOST_BOUNDARY:
        raise ValueError("the answer names no boundary")
    marker = b"--" + boundary.encode("latin-1", "replace")
    pieces = (b"\r\n" + body).split(b"\r\n" + marker)
    if not pieces[-1].startswith(b"--"):
        raise ValueError("the answer is cut off")
    found = []
    for piece in pieces[1:-1]:
        _, separator, content = piece.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("a part of the answer has no header")
        found.append(content)
    return found


def encode(files: Sequence[bytes], part_type: str) -> tuple[str, bytes]:
    """A body with files as its parts, and its content type."""
    boundary = secrets.token_hex(16)
    while any(boundary.encode() in file for file in files):
        boundary = secrets.token_hex(16)
    pieces = [f"--{boundary}\r\nContent-Type: {part_type}\r\n\r\n".encode() + file + b"\r\n" for file in files]
    body = b"".join(pieces) + f"--{boundary}--\r\n".encode()
    return f'multipart/related; type="{part_type.partition(";")[0]}"; boundary={boundary}', body
