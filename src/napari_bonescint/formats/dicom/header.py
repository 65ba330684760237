"""Read DICOM attributes from files that may break the standard.

pydicom converts an attribute on first access, and then warns or raises if it is odd. `Header` returns no value
instead: a wrong patient weight must not stop a scan from being opened.
"""

from __future__ import annotations

import io
import math
import zlib
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import TYPE_CHECKING, BinaryIO, cast

import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset, read_partial, read_preamble
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import PersonName
from pydicom.values import converters

from napari_bonescint.formats.safe_reading.budget import (
    MOST_HEADER_BYTES,
    Metered,
    OverBudget,
    require_small_when_inflated,
)
from napari_bonescint.formats.safe_reading.refusal import DAMAGED, NotAPlanarScan, Refusal
from napari_bonescint.formats.safe_reading.silence import quiet
from napari_bonescint.formats.safe_reading.source_file import read_start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Object identifier 1.2.840.113549.1.7.3, which begins a CMS envelope (DICOM PS3.15, Secure DICOM File).
_ENVELOPED_DATA = bytes.fromhex("06092a864886f70d010703")
# Longer values are not converted: that takes a second for each megabyte. A SEG may describe hundreds of frames.
_MOST_VALUE_BYTES = 2**16
_MOST_SEQUENCE_BYTES = 2**20
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths")
_MODALITY = int(Tag("Modality"))
_FILE_META = 2
# Inflated bytes that hold the modality, with room for long texts before it.
_START_BYTES = 2**16
_MOST_KEPT = 4
_NOT_DICOM = "The file is no DICOM file."

_kept: ContextVar[dict[Path, Header] | None] = ContextVar("kept", default=None)


class Header:
    """A data set, or an item of a sequence, whose attributes are read without ever raising an exception."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @property
    def transfer_syntax(self) -> UID:
        """UID of the transfer syntax, by which the pixels are stored."""
        return UID(self.dataset.file_meta.TransferSyntaxUID)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns; 0 if they are unknown."""
        return self.integer("Rows") or 0, self.integer("Columns") or 0

    def has(self, keyword: str) -> bool:
        """True if the attribute is present, even if empty."""
        return keyword in self.dataset

    def values(self, keyword: str) -> list[object]:
        """All values of an attribute; none if it is absent, empty, unreadable or far too long."""
        try:
            if self._is_too_long(keyword):
                return []
            # pydicom converts the value here, and may quote it in a warning.
            with quiet():
                value = self.dataset.get(keyword)
        except Exception:  # the conversion may raise any exception
            return []
        if value is None:
            return []
        return list(value) if isinstance(value, (MultiValue, Sequence, list)) else [value]

    def binary(self, keyword: str) -> bytes:
        """The first value of an attribute if it is bytes; empty otherwise."""
        value = next(iter(self.values(keyword)), None)
        return value if isinstance(value, bytes) else b""

    def _is_too_long(self, keyword: str) -> bool:
        """True if an attribute is longer than any useful one, so that its conversion takes long."""
        element: object = self.dataset.get_item(keyword) if keyword not in _PIXELS else None
        if not isinstance(element, RawDataElement) or element.value is None:
            return False
        return len(element.value) > (_MOST_SEQUENCE_BYTES if keyword.endswith("Sequence") else _MOST_VALUE_BYTES)

    def texts(self, keyword: str) -> list[str]:
        """The values of an attribute as text with single blanks; without sequences, names of persons and bytes."""
        values = self.values(keyword)
        return [" ".join(str(value).split()) for value in values if isinstance(value, (str, int, float, Decimal))]

    def text(self, keyword: str) -> str:
        """The values of an attribute as one text, joined as in DICOM; empty if there are none."""
        return "\\".join(self.texts(keyword))

    def text_or_name(self, keyword: str) -> str:
        """The text of an attribute, including persons' names; only for DICOM files about the same patient."""
        found = self.values(keyword)
        names = [" ".join(str(value).split()) for value in found if isinstance(value, PersonName)]
        return "\\".join(names) if names else self.text(keyword)

    def numbers(self, keyword: str) -> list[float]:
        """The values of an attribute as finite numbers; none at all if one of them is not."""
        try:
            found = [float(value) for value in self.texts(keyword)]
        except ValueError:
            return []
        whole = len(found) == len(self.values(keyword)) and all(math.isfinite(number) for number in found)
        return found if whole else []

    def number(self, keyword: str) -> float | None:
        """The first value of an attribute as a number, or None."""
        found = self.numbers(keyword)
        return found[0] if found else None

    def integer(self, keyword: str) -> int | None:
        """The first value of an attribute as a whole number, or None."""
        found = self.number(keyword)
        return None if found is None or found != int(found) else int(found)

    def items(self, keyword: str) -> list[Header]:
        """The items of a sequence attribute; none if it is absent."""
        return [Header(item) for item in self.values(keyword) if isinstance(item, Dataset)]


def looks_like_dicom(start: bytes) -> bool:
    """True if the first bytes of a file are those of DICOM, with or without the 128-byte preamble."""
    # Old exports begin with the data set itself: a low element of group 2 or 8.
    begins_with_element = start[:2] in (b"\x02\x00", b"\x08\x00") and len(start) >= 8
    return _has_preamble(start) or (begins_with_element and start[3] == 0 and start[2] <= 0x18)


def is_encrypted(start: bytes) -> bool:
    """True if the first bytes of a file are those of an encrypted DICOM file."""
    return _ENVELOPED_DATA in start[:64]


@contextmanager
def parsed_once() -> Iterator[None]:
    """Within this block, `read_header` parses a file once, also if it is asked for it several times in a row."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def read_header(path: Path) -> Header:
    """Read all attributes of a DICOM file except the pixels."""
    kept = _kept.get()
    if kept is not None and path in kept:
        return kept[path]
    start = read_start(path)
    try:
        with path.open("rb") as file:
            header = _parse(path, start, _DicomStream(path, file, MOST_HEADER_BYTES), pixels=False)
    except OSError as error:
        raise Refusal(path, f"The file could not be read ({error.strerror or error}).") from error
    if kept is not None:
        kept[path] = header
        if len(kept) > _MOST_KEPT:
            del kept[next(iter(kept))]
    return header


def read_modality(path: Path) -> str:
    """The modality that a DICOM file states, read without what follows it; empty if it states none.

    A file that is no DICOM file, or is unreadable, is a `Refusal`.
    """
    if not looks_like_dicom(read_start(path)):
        raise NotAPlanarScan(path, _NOT_DICOM)
    try:
        with path.open("rb") as file:
            stream = cast("BinaryIO", _DicomStream(path, file, MOST_HEADER_BYTES))
            dataset = _deflated_start(stream) or read_partial(stream, stop_when=_is_past_modality, force=True)
    except Exception as error:  # pydicom's parser may raise any exception
        raise Refusal(path, DAMAGED) from error
    return Header(dataset).text("Modality").upper()


def _is_past_modality(tag: int, *_: object) -> bool:
    return tag > _MODALITY


def _deflated_start(stream: BinaryIO) -> Dataset | None:
    """The first attributes of a deflated file, without inflating the rest as pydicom does; None of another file."""
    read_preamble(stream, force=True)
    meta = read_dataset(stream, is_implicit_VR=False, is_little_endian=True, stop_when=_is_past_file_meta)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        stream.seek(0)
        return None
    start = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream.read(_START_BYTES), _START_BYTES)
    return read_dataset(io.BytesIO(start), is_implicit_VR=False, is_little_endian=True, stop_when=_is_past_modality)


def _is_past_file_meta(tag: int, *_: object) -> bool:
    return tag >> 16 != _FILE_META


def parse_whole(path: Path, content: bytes) -> Header:
    """Read all attributes of a DICOM file, pixels included, from its bytes."""
    return _parse(path, content[:132], _DicomStream(path, content), pixels=True)


class _DicomStream(Metered):
    """A `Metered` stream that also limits the inflated size, when pydicom reads the rest of a file to inflate it."""

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        if size is None or size < 0:
            try:
                require_small_when_inflated(self.path, content, zlib.decompressobj(-zlib.MAX_WBITS))
            except OverBudget as error:
                self.exceeded = error
                raise
        return content


def _parse(path: Path, start: bytes, file: _DicomStream, *, pixels: bool) -> Header:
    if is_encrypted(start):
        raise Refusal(path, "The file is encrypted (a CMS envelope); decrypt it, or export it without encryption.")
    if not looks_like_dicom(start):
        raise NotAPlanarScan(path, _NOT_DICOM)
    try:
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=not pixels)
        _complete_file_meta(dataset)
        # pydicom returns no attribute at all if the file ends within compressed pixels.
        damaged = len(dataset) == 0
    except Exception:  # pydicom's parser may raise any exception
        damaged = True
    if file.exceeded is not None:
        raise file.exceeded
    if damaged and not _has_preamble(start):
        raise NotAPlanarScan(path, _NOT_DICOM)
    if damaged:
        raise Refusal(path, DAMAGED)
    _require_known_kinds(path, dataset)
    return Header(dataset)


def _require_known_kinds(path: Path, dataset: Dataset) -> None:
    """Refuse an attribute with an unknown value representation: bits of the file flipped, perhaps others, too."""
    for element in dataset.elements():
        kind = element.VR
        if kind is not None and kind not in converters:
            reason = f"The attribute {element.tag} is of the unknown kind {kind!r}, so the file is damaged"
            raise Refusal(path, f"{reason}; copy or export it again.")
        # A sequence in place of another type is not used, and its items are checked only here.
        if kind == "SQ" and dictionary_has_tag(element.tag) and dictionary_VR(element.tag) != "SQ":
            for item in Header(dataset).items(keyword_for_tag(element.tag)):
                _require_known_kinds(path, item.dataset)


def _has_preamble(start: bytes) -> bool:
    return start[128:132] == b"DICM"


def _complete_file_meta(dataset: Dataset) -> None:
    """Add the transfer syntax that pydicom found to a data set without it; decoding needs it."""
    if not hasattr(dataset, "file_meta"):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
