"""Read the view of each frame from a file: codes first, then their meanings, then descriptions."""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import TYPE_CHECKING

from napari_bonescint.formats.safe_reading.refusal import NotAPlanarScan, Refusal
from napari_bonescint.notices import Notice, Remedy
from napari_bonescint.scan import VIEW_ASSUMED, VIEWS_ASSUMED, View, ViewName, ViewSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_bonescint.formats.dicom.header import Header


class OtherView(Enum):
    """A named view that is neither anterior nor posterior, such as a left lateral."""

    OTHER = "other"


OTHER = OtherView.OTHER
NamedView = ViewName | OtherView

# DICOM PS3.16, CID 26 "Nuclear Medicine Projections": SNOMED CT codes, and the older SNOMED RT codes.
_CODES: dict[str, ViewName] = {
    "399321004": ViewName.ANTERIOR,
    "399001007": ViewName.POSTERIOR,
    "G-5215": ViewName.ANTERIOR,
    "G-5216": ViewName.POSTERIOR,
}
_SNOMED = {"SCT", "SRT", "SNM3", "99SDM"}

# Descriptions of the image, from the most specific to the most general.
_DESCRIPTIONS = (
    "ImageID",
    "DetectorDescription",
    "FrameComments",
    "ImageComments",
    "AcquisitionComments",
    "DerivationDescription",
    "SeriesDescription",
    "ProtocolName",
    "PerformedProcedureStepDescription",
)

_OTHER_WORDS = re.compile(
    r"\b(lateral\w*|obliqu\w*|obl|lat|llat|rlat|lao|rao|lpo|rpo|oad|oag|opd|opg|schrag\w*|seitlich\w*|profil\w*|vertex)\b"
)
# "Antero-posterior" (AP) is the direction of an X-ray beam; it tells little about a gamma camera.
_BEAM_WORDS = re.compile(r"\b(antero|postero|ap\b)")
_ANTERIOR_WORDS = re.compile(r"\b(anterior\w*|anterieur\w*|ant\d?|ventral|vorne)\b")
_POSTERIOR_WORDS = re.compile(r"\b(posterior\w*|posterieur\w*|dorsal(?! spine| column)|hinten)\b")
# "Post" alone is as often a time ("3 h post injection", "post void") as a view.
_POST = re.compile(
    r"(?<!h )(?<!hr )(?<!hrs )(?<!hours )(?<!min )(?<!minutes )(?<!delay )(?<!delayed )(?<!late )"
    r"\bpost\b(?= *($|\d+\b(?! *(h|hr|hrs|hours?|min|minutes?)\b)|(wb|whole|body|bone|view|e)\b))"
)
# Words and signs that name both views: "A/P", "AP+PA", "AntPost", "both views".
_BOTH_SIGNS = re.compile(
    r"\b(a ?[-/&+,.] ?p|p ?[-/&+,.] ?a|ap ?[-/&+,.] ?pa|pa ?[-/&+,.] ?ap"
    r"|a ?[/&+] ?post\w*|post\w*\.? ?[/&+] ?a|ant\w*\.? ?[/&+] ?p(?!\.? ?i\b)|p ?[/&+] ?ant\w*)\b"
)
_BOTH_WORDS = re.compile(
    r"\b(both|ant(erior)?post\w*|post(erior)?ant\w*|(two|2|dual|opposed|opposing|conjugate) views?)\b"
)
_JOINT = r"\.?( *[-/\\&+|;:] *| +(and|und|et|y|e|i|o|u|or|oder|ou|plus|en|og|och|vs\.?|n) +)"
_ONE, _OTHER_ONE = r"\b(ant|ante|anterior\w*|anterieur\w*|front\w*|ventral\w*)\d?", r"\bpost(erior\w*|erieur\w*)?\d?"
_JOINED = re.compile(rf"{_ONE}{_JOINT}{_OTHER_ONE}\b|{_OTHER_ONE}{_JOINT}{_ONE}\b")
# These words may name a view beside the name of the other one; alone they are too vague.
_PERHAPS_ANTERIOR = re.compile(
    r"\b(ante|front|frontal\w*|vent|ventral\w*|vorn|vorder\w*|avant|delant\w*|davanti|voor\w*|framifran|forfra|przedni\w*|przod\w*)\b|前|正面|전면|앞|передн|спереди|πρόσθι|أمام"
)
_PERHAPS_POSTERIOR = re.compile(
    r"\b(pos|pst|poster|back|rear|dors|dorsal\w*|hinter\w*|ruck\w*|arriere|dos|detras|tras\w*|dietro|achter\w*|bakifran"
    r"|bagfra|tyln\w*)\b|tył|后|後|背|후면|뒤|задн|сзади|οπίσθι|خلف"
)
_POST_WORD = re.compile(r"\bpost\d?\b")
_AFTER = r"\bpost (inj\w*|void\w*|mict\w*|op|surg\w*|therap\w*|treat\w*|chemo\w*|radio\w*|admin\w*|appl\w*|dos\w*)\b"
_AMOUNT = (
    r"\b((\d+ ?(h|hr|hrs|hours?|std|min|mins|minutes?|d|days?))|h|hrs?|hours?|min|minutes?|delay(ed)?|late) post\b"
)
# "ANT 3h & POST 3h" joins two views; "ANT 3h post" does not.
_JOINED_POST = re.compile(r"[/\\&+|] *post\b")
# "3 h post ANT" may name both views.
_TIMES = re.compile(rf"{_AFTER}|{_AMOUNT}(?! ant)")


def view_of_codes(item: Header) -> NamedView | None:
    """The view that the View Code Sequence of a detector or data set states; None if none, or both."""
    found: set[NamedView] = set()
    for code in item.items("ViewCodeSequence"):
        known = _CODES.get(code.text("CodeValue")) if code.text("CodingSchemeDesignator") in _SNOMED else None
        meaning = view_of_text(code.text("CodeMeaning"))
        found |= {view for view in (known, meaning) if view is not None}
    return found.pop() if len(found) == 1 else None


def view_of_descriptions(item: Header, frame: int, frames: int, *, alone: bool) -> NamedView | None:
    """The view that descriptions of a data set or a detector name for one frame, by its index and the number of frames.

    A description with as many values as frames has one for each. A single description is valid only if the item
    describes this frame alone.
    """
    for keyword in _DESCRIPTIONS:
        texts = item.texts(keyword)
        found = None
        if len(texts) == frames:
            found = view_of_text(texts[frame])
        elif alone:
            found = view_of_text(" ".join(texts))
        if found is not None:
            return found
    return None


def view_of_text(text: str) -> NamedView | None:
    """The only view that a text names, such as ``WB_ANT`` or ``Posterior``; None if none, or both."""
    unaccented = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[_\W]+", " ", unaccented).strip()
    # Words in other scripts are searched in the original text.
    written = f"{words} {unicodedata.normalize('NFKC', text).lower()}"
    anterior = _ANTERIOR_WORDS.search(words) is not None
    posterior = _POSTERIOR_WORDS.search(words) is not None or _POST.search(words) is not None
    if _names_both(unaccented.replace("_", " "), words, written, anterior=anterior, posterior=posterior):
        return None
    if _OTHER_WORDS.search(words):
        return OTHER
    if _BEAM_WORDS.search(words) or anterior == posterior:
        return None
    return ViewName.ANTERIOR if anterior else ViewName.POSTERIOR


def _names_both(text: str, words: str, written: str, *, anterior: bool, posterior: bool) -> bool:
    """True if a text names both views, or one for certain (`anterior`, `posterior`) and the other perhaps.

    `words` are those of `text` without its signs; `written` has the text in its own script, too.
    """
    if _BOTH_SIGNS.search(text) or _JOINED.search(text) or _BOTH_WORDS.search(words):
        return True
    perhaps_posterior = (
        _PERHAPS_POSTERIOR.search(written)
        or _POST_WORD.search(_TIMES.sub(" ", words))
        or _JOINED_POST.search(re.sub(_AFTER, " ", text))
    )
    return bool(
        (anterior and (posterior or perhaps_posterior))
        or (posterior and (anterior or _PERHAPS_ANTERIOR.search(written)))
    )


def settle_views(path: Path, stated: Sequence[NamedView | None]) -> tuple[dict[int, View], list[str]]:
    """Decide which frames become views, by the view that the file states for each (None: not stated).

    Returns the view of each kept frame, anterior first, at most one of each name, and a warning for each assumption and
    each frame left out. If no frame shows an anterior or posterior view, or more than two frames have no named view,
    the file is a `Refusal`.
    """
    others = [i for i, view in enumerate(stated) if view is OTHER]
    unnamed = [i for i, view in enumerate(stated) if view is None]
    if len(others) == len(stated):
        advice = "only anterior and posterior views can be segmented"
        raise NotAPlanarScan(path, f"The image shows another view (such as lateral); {advice}.")
    warnings: list[str] = []
    if others:
        warnings.append(f"{len(others)} of {len(stated)} frames show other views (such as lateral) and were left out.")

    kept: dict[ViewName, int] = {}
    for i, view in enumerate(stated):
        if isinstance(view, ViewName):
            if view in kept:
                warnings.append(f"More than one frame shows the {view} view; the first was taken.")
            kept.setdefault(view, i)

    views = {i: View(name) for name, i in kept.items()}
    if not kept and len(unnamed) > 2:
        raise Refusal(path, f"The file has {len(unnamed)} frames and names no view of any; export single views.")
    if not kept:
        names = (ViewName.ANTERIOR, ViewName.POSTERIOR)
        views = {i: View(name, ViewSource.ASSUMED) for i, name in zip(unnamed, names, strict=False)}
        warnings.append(VIEW_ASSUMED if len(unnamed) == 1 else VIEWS_ASSUMED)
    elif len(kept) == 1 and len(unnamed) == 1:
        (known,) = kept
        assumed = known.opposite
        views[unnamed[0]] = View(assumed, ViewSource.ASSUMED)
        named = f"The file names one view {known} and the other not; the other was taken as {assumed}."
        warnings.append(Notice(named, Remedy.NAME_VIEW, assumed))
    elif unnamed:
        warnings.append(f"{len(unnamed)} of {len(stated)} frames have no named view and were left out.")
    return dict(sorted(views.items(), key=lambda entry: entry[1].name is ViewName.POSTERIOR)), warnings
