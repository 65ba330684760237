"""The table of bone regions: code, name, display colour and SNOMED CT codes.

Codes never change their meaning; new regions are appended. Left and right have no codes: they follow from the view and
the midline. DICOM SEG files carry the SNOMED CT codes (category 91723000, Anatomical Structure).
"""

from typing import NamedTuple


class Region(NamedTuple):
    """One bone region.

    Attributes
    ----------
    code : int
        Value of the region's pixels in a mask.
    name : str
        Name in file names, tables and the command line.
    colour : str
        Display colour, ``#rrggbb``. Neighbours on the body differ clearly.
    snomed : tuple of str
        SNOMED CT concepts of the region, the main one first; empty for background.
    """

    code: int
    name: str
    colour: str
    snomed: tuple[str, ...]

    @property
    def label(self) -> str:
        """The name as text, such as ``thoracic spine``."""
        return self.name.replace("_", " ")


REGIONS: tuple[Region, ...] = (
    Region(0, "background", "#000000", ()),
    Region(1, "skull", "#4e79a7", ("89546000", "91609006")),
    Region(2, "cervical_spine", "#f28e2b", ("122494005",)),
    Region(3, "thoracic_spine", "#e15759", ("122495006",)),
    Region(4, "lumbar_spine", "#edc948", ("122496007",)),
    Region(5, "sacrum", "#b07aa1", ("54735007",)),
    Region(6, "ribs", "#76b7b2", ("113197003",)),
    Region(7, "sternum", "#ff3fa4", ("56873002",)),
    Region(8, "clavicle", "#59a14f", ("51299004",)),
    Region(9, "scapula", "#9467ff", ("79601000",)),
    Region(10, "humerus", "#ff9da7", ("85050009",)),
    Region(11, "forearm", "#2fa8e0", ("14975008",)),
    Region(12, "hand", "#c49c4a", ("85562004",)),
    Region(13, "pelvis", "#3fbf7f", ("816092008",)),
    Region(14, "femur", "#d6604d", ("71341001",)),
    Region(15, "lower_leg", "#5a7bd8", ("30021000",)),
    Region(16, "foot", "#a6cf4c", ("56459004",)),
)

CODES: dict[str, int] = {region.name: region.code for region in REGIONS}

SKELETON_COLOUR = "#e4572e"

OUTLINED = ("forearm", "hand", "lower_leg", "foot")
"""Regions whose masks are closed outlines: gaps between paired bones and between fingers count as bone."""

LABEL_COLOURS: dict[str, str] = {"skeleton": SKELETON_COLOUR} | {region.label: region.colour for region in REGIONS[1:]}
"""Colours by label in tables; `skeleton` is bone without a region."""
