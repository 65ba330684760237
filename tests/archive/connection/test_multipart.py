from __future__ import annotations

import email
import email.policy

import pytest

from napari_bonescint.archive.connection.multipart import encode, parts


def test_what_is_encoded_is_read_by_the_standard_library_and_by_us() -> None:
    files = [b"one\r\n--\r\n\r\nbinary\x00\xff", b""]
    content_type, body = encode(files, "application/dicom")
    assert parts(content_type, body) == files
    message = email.message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    assert [part.get_content_type() for part in message.get_payload()] == ["application/dicom"] * 2


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/related", b"--x\r\n\r\n--x--"),
        ("multipart/related; boundary=" + "x" * 500, b""),
        ("multipart/related; boundary=x", b"--x\r\n\r\nhalf"),
        ("multipart/related; boundary=x", b"--x\r\nno header\r\n--x--"),
        ("multipart/related; boundary=x", b""),
    ],
)
def test_a_damaged_body_is_an_error(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"the answer|a part"):
        parts(content_type, body)


def test_a_body_of_one_file_is_that_file() -> None:
    assert parts("application/dicom", b"DICM") == [b"DICM"]
