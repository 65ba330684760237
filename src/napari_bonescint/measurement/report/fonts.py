"""Fonts of the PDF: those that come with napari, so that nothing of the system is needed.

A person's name may be in any script. Each word is set in the first font that has all of its letters. Words of other
scripts are spelled with Latin letters, by the names that the Unicode standard gives to their letters.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "Report", "Report-Bold"
_WIDE = "Report-Wide"
# Latin, Greek and Cyrillic (Open Sans, Apache licence, with vispy), and Japanese and Hebrew (M+ 1p, SIL licence, with
# napari). The last of each row come with reportlab.
_FILES = {
    REGULAR: (("vispy", "util/fonts/data/OpenSans-Regular.ttf"), ("reportlab", "fonts/Vera.ttf")),
    BOLD: (("vispy", "util/fonts/data/OpenSans-Bold.ttf"), ("reportlab", "fonts/VeraBd.ttf")),
    _WIDE: (("napari_resources", "resources/fonts/M_PLUS_1p/MPLUS1p-Regular.ttf"), ("reportlab", "fonts/Vera.ttf")),
}
# For Chinese characters that the Japanese font lacks. It is not embedded: viewers have a font for this name.
_CHINESE = "STSong-Light"


@cache
def register_fonts() -> None:
    """Make the fonts known to reportlab, by the names `REGULAR` and `BOLD`; pictures are stored as bytes, not text."""
    from reportlab import rl_config
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    for name in _FILES:
        pdfmetrics.registerFont(_load(name))
    pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))
    # Text of base 85 takes long to make and is a quarter larger.
    rl_config.useA85 = 0
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


@lru_cache(4096)
def marked_up(text: str) -> str:
    """A text as reportlab's markup, in which each word has a font with all of its letters.

    reportlab sets letters from left to right, so words of Hebrew, and their letters, are put into that order.
    """
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    ordered: list[str] = []
    for from_right, words in groupby(plain.split(" "), _is_set_from_right):
        ordered += [word[::-1] for word in reversed(list(words))] if from_right else words
    return " ".join(map(_word, ordered))


def is_spelled(text: str) -> bool:
    """True if `marked_up` spells some word of a text, because no font has its letters."""
    return any(_font_of(word) is None for word in unicodedata.normalize("NFC", text).split())


def _word(word: str) -> str:
    font = _font_of(word)
    if font is None:
        return escape(_spelled(word))
    return escape(word) if font == REGULAR else f'<font name="{font}">{escape(word)}</font>'


def _font_of(word: str) -> str | None:
    """The font that has all letters of a word; None if there is none."""
    for name in (REGULAR, _WIDE):
        if all(ord(letter) in _letters(name) for letter in word):
            return name
    return _CHINESE if all(_is_chinese(letter) or letter.isascii() for letter in word) else None


def _is_set_from_right(word: str) -> bool:
    """True for a word of Hebrew that a font has; words that are spelled are Latin."""
    return any(unicodedata.bidirectional(letter) == "R" for letter in word) and _font_of(word) is not None


def _is_chinese(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff"


def _spelled(word: str) -> str:
    """A word with Latin letters: ``Gim`` for HANGUL SYLLABLE GIM, ``Sheen`` for ARABIC LETTER SHEEN."""
    parts: list[str] = []
    latin = ""
    for letter in word:
        if ord(letter) in _letters(REGULAR):
            latin += letter
            continue
        name = unicodedata.name(letter, "")
        if not name or unicodedata.combining(letter):
            continue
        parts += [*([latin] if latin else []), name.rpartition(" ")[2].capitalize()]
        latin = ""
    return "-".join([*parts, *([latin] if latin else [])]) or "?"


@cache
def _letters(name: str) -> frozenset[int]:
    return frozenset(_load(name).face.charToGlyph)


@cache
def _load(name: str) -> TTFont:
    from reportlab.pdfbase.ttfonts import TTFont

    return TTFont(name, str(_file(name)))


def _file(name: str) -> Path:
    """The first file of a font that is installed; its package is not imported."""
    for package, file in _FILES[name]:
        found = find_spec(package)
        if found is not None and found.origin is not None:
            path = Path(found.origin).parent / file
            if path.is_file():
                return path
    raise FileNotFoundError(f"the font {name} is missing")
