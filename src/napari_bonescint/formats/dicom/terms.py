"""Reduce free text about an acquisition to terms of the DICOM standard and names of makers.

Users type into every text of a file, even a patient's name. So no text is kept as it is: only a known term in it is
kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# PS3.3, C.8.4.9 (NM Image Type), C.8.4.5 (Whole Body Technique), C.8.4.11 (Collimator Type).
_IMAGE_TYPES = {
    *("ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "EMISSION", "TRANSMISSION", "STATIC", "DYNAMIC", "GATED"),
    *("WHOLE BODY", "TOMO", "GATED TOMO", "RECON TOMO", "RECON GATED TOMO", "SUBTRACTION"),
    # Not for NM images, but found in other files of an export.
    *("SCREEN SAVE", "SCREEN CAPTURE", "AXIAL", "LOCALIZER", "PROJECTION IMAGE"),
}
_TECHNIQUES = {"1PS", "2PS", "PCN", "MSP"}
_COLLIMATORS = {"PARA", "PINH", "FANB", "CONE", "SLNT", "ASTG", "DIVG", "NONE", "UNKN"}
# PS3.16, CID 29, and retired terms of old archives.
MODALITIES = {
    *("AR", "AU", "BDUS", "BI", "BMD", "CF", "CR", "CT", "CTPROTOCOL", "DF", "DG", "DM", "DOC", "DX", "ECG", "EEG"),
    *("EPS", "ES", "EC", "FID", "FS", "GM", "HC", "HD", "IO", "IOL", "IVOCT", "IVUS", "KER", "KO", "LEN", "LP", "LS"),
    *("M3D", "MA", "MG", "MR", "MS", "NM", "OAM", "OCT", "OP", "OPM", "OPT", "OPTBSV", "OPV", "OT", "PLAN", "POS"),
    *("PR", "PT", "PX", "REG", "RESP", "RF", "RG", "RTDOSE", "RTIMAGE", "RTPLAN", "RTRECORD", "RTSTRUCT", "RWV"),
    *("SEG", "SM", "SMR", "SR", "SRF", "ST", "STAIN", "TEXTUREMAP", "TG", "US", "VA", "VF", "XA", "XC"),
}
# PS3.16, CID 18: elements of radionuclides, by name and symbol.
_ELEMENTS = {
    "technetium": "tc", "fluorine": "f", "indium": "in", "iodine": "i", "gallium": "ga", "thallium": "tl",
    "xenon": "xe", "krypton": "kr", "samarium": "sm", "strontium": "sr", "rhenium": "re", "lutetium": "lu",
    "radium": "ra", "yttrium": "y", "cobalt": "co", "chromium": "cr", "caesium": "cs", "cesium": "cs",
}  # fmt: skip

# Names that files write in several ways; the others are found as they are.
_VENDORS = {
    "GE": "ge|gems|general electric",
    "SMV": "smv|sopha|sophy|sopha medical vision",
    "DDD": "ddd|ddd diagnostic",
    "United Imaging": "united imaging|uih",
} | {
    name: name.lower()
    for name in (
        *("Siemens", "Philips", "ADAC", "Picker", "Marconi", "Elscint", "Mediso", "Spectrum Dynamics", "Digirad"),
        *("Toshiba", "Canon", "Hitachi", "Shimadzu", "MiE", "Trionix", "Park Medical", "IS2", "Segami", "Hermes"),
        *("Nuclear Diagnostics", "Gamma Medica", "Neusoft"),
    )
}
# A product line with the letters or digits of its models.
_CAMERAS = (
    r"discovery nm(?:/ct)? ?\d{3}[a-z]?(?: pro)?",
    r"nm(?:/ct)? ?\d{3}[a-z]?",
    r"infinia(?: hawkeye)?(?: ?4)?|hawkeye",
    r"millennium(?: (?:mg|mpr|mps|vg|mc))?",
    r"starguide|ventri|optima nm(?:/ct)? ?\d{3}|varicam|helix|starcam|maxxus|optima",
    r"symbia(?: (?:s|e|t|t2|t6|t16|evo|intevo(?: bold)?(?: ?\d{1,2})?|evo excel|pro\.specta))?",
    r"e\.?cam(?:\+| duet| signature)?|multispect ?\d?|orbiter|diacam|basicam|bodyscan",
    r"brightview(?: xct?)?|skylight|forte|vertex(?: plus)?|cardiomd|argus|genesys|solus|precedence(?: \d{1,2})?",
    r"axis|irix|prism ?\d{4}(?:xp)?|meridian",
    r"anyscan(?: (?:s|sc|scp|trio))?|nucline(?: (?:th|spirit|x-ring))?",
    r"dst(?:-?xli?)?|dhd|dsx|sophycamera",
    r"veriton(?:-ct)?(?: ?\d{2,3})?|d-spect",
    r"gca-?\d{3,4}[a-z]*|gamma ?view|spectra-?digital|e\.?soft|xeleris|scintron|wbscan",
)

# Bone tracers by their usual abbreviations; PS3.16, CID 25, and names of kits.
_TRACERS = {
    "HDP": "hdp|hmdp|oxidronate|oxidronic acid|hydroxymethylene diphosphonate|technescan hdp",
    "DPD": "dpd|teceos|butedronate|butedronic acid|dicarboxypropane diphosphonate",
    "MDP": "mdp|medronate|medronic acid|methylene diphosphonate|methylenediphosphonate|amerscan",
    "PYP": "pyp|pyrophosphate|pyrophosphoric acid",
    "NaF": "naf|sodium fluoride|fluoride",
}


def find_words(text: str, pattern: str) -> str:
    """The first part of a text that matches a lower-case pattern as whole words, with single blanks; or empty."""
    plain = " ".join(text.lower().replace("_", " ").split())
    found = re.search(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])", plain)
    return found[0] if found else ""


def vendor(text: str) -> str:
    """The maker that a text names, such as ``GE`` for ``GE MEDICAL SYSTEMS``; empty if unknown."""
    return next((name for name, pattern in _VENDORS.items() if find_words(text, pattern)), "")


def camera(text: str) -> str:
    """The camera that a text names, in capitals, such as ``MILLENNIUM MG``; empty if unknown."""
    return next((found.upper() for pattern in _CAMERAS if (found := find_words(text, pattern))), "")


def image_type(text: str) -> str:
    """The values of Image Type, joined as in DICOM, with ``OTHER`` for each value outside the standard."""
    values = [value.strip().upper().replace("_", " ") for value in text.split("\\")] if text else []
    values = ["WHOLE BODY" if value == "WHOLEBODY" else value for value in values]
    return "\\".join(value if value in _IMAGE_TYPES else "OTHER" for value in values)


def radionuclide(text: str) -> str:
    """A radionuclide in the form ``99mTechnetium``; empty if the text names none of the standard's."""
    plain = re.sub(r"[\^\s\-]+", " ", text.lower()).strip()
    for name, symbol in _ELEMENTS.items():
        found = re.fullmatch(rf"(\d{{1,3}}m?) ?(?:{name}|{symbol})|(?:{name}|{symbol}) ?(\d{{1,3}}m?)", plain)
        if found:
            return f"{found[1] or found[2]}{name.capitalize()}"
    return ""


def tracer(text: str) -> str:
    """The bone tracer that a text names, as its usual abbreviation, such as ``HDP``; empty if unknown."""
    return next((name for name, pattern in _TRACERS.items() if find_words(text, pattern)), "")


def _one_of(terms: set[str]) -> Callable[[str], str]:
    return lambda text: ", ".join(sorted({part.strip().upper() for part in text.split(",")} & terms))


def _only(pattern: str) -> Callable[[str], str]:
    return lambda text: text if re.fullmatch(pattern, text) else ""


_NUMBERS = ("counts_accumulated", "frame_duration_s", "scan_velocity_mm_per_s")
_TEXTS: dict[str, Callable[[str], str]] = {
    "image_type": image_type,
    "matrix": _only(r"\d{1,5} ?x ?\d{1,5}"),
    "whole_body_technique": _one_of(_TECHNIQUES),
    "photopeak_window": _only(r"[\d.]{1,8}-[\d.]{1,8}(?: \+ [\d.]{1,8}-[\d.]{1,8}){0,9} keV"),
    "radionuclide": radionuclide,
    "collimator_type": _one_of(_COLLIMATORS),
    "manufacturer": vendor,
    "model": camera,
}


def reduced(facts: Mapping[str, object]) -> dict[str, str | int | float]:
    """Keep only numbers and known terms of facts, by the names that `acquisition.acquisition_facts` uses."""
    kept: dict[str, str | int | float] = {}
    for name, fact in facts.items():
        if name in _NUMBERS and isinstance(fact, (int, float)) and not isinstance(fact, bool):
            kept[name] = fact
        elif name in _TEXTS and isinstance(fact, str) and (term := _TEXTS[name](fact)):
            kept[name] = term
    return kept
