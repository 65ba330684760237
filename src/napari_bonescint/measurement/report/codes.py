"""Codes of segmentations and structured reports of hot spots; a code that no standard has is a private one."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.derived import item
from napari_bonescint.formats.masks.dicom_seg import BONE_CODE

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Code = tuple[str, str, str]
"""Value, scheme and meaning."""

PRIVATE = "99BONESCINT"
"""Designator of the private scheme; a designator that begins with 99 is private by PS3.16 8.2."""

LESION: Code = ("52988006", "SCT", "Lesion")
ABNORMAL: Code = ("49755003", "SCT", "Morphologically Abnormal Structure")
PROCEDURE: Code = ("371572003", "SCT", "Nuclear medicine procedure")
BONE: Code = (BONE_CODE, "SCT", "Bone")

AREA: Code = ("42798000", "SCT", "Area")
COUNTS: Code = ("110820", "DCM", "Nuclear Medicine Projection Activity")
RATIO: Code = ("118586006", "SCT", "Ratio")
LESIONS: Code = ("246206008", "SCT", "Number of lesions")
PROBABILITY: Code = ("122157", "DCM", "Probability")
MEAN: Code = ("373098007", "SCT", "Mean")
MAXIMUM: Code = ("56851009", "SCT", "Maximum")
COMMENT: Code = ("121106", "DCM", "Comment")
SIDES: dict[str, Code] = {"left": ("7771000", "SCT", "Left"), "right": ("24028007", "SCT", "Right")}

SQUARE_MM: Code = ("mm2", "UCUM", "square millimeter")
PERCENT: Code = ("%", "UCUM", "Percent")
IN_COUNTS: Code = ("{counts}", "UCUM", "Counts")
NO_UNIT: Code = ("1", "UCUM", "no units")

HOT_SPOT: Code = ("HOT_SPOT", PRIVATE, "Focal uptake that is not suspicious")
INDEX: Code = ("BSI", PRIVATE, "Bone scan index without distal limbs")
INDEX_WITH_DISTAL: Code = ("BSI_DISTAL", PRIVATE, "Bone scan index with distal limbs")
INDEX_OF_REGION: Code = ("BSI_REGION", PRIVATE, "Part of a region in the bone scan index")
INDEX_CHANGE: Code = ("BSI_CHANGE", PRIVATE, "Change of the bone scan index since the prior scan")
GEOMETRIC_MEAN: Code = ("GEOM_MEAN", PRIVATE, "Geometric mean of both views' counts of a region")
GEOMETRIC_LEFT_RIGHT: Code = ("GEOM_LEFT_RIGHT", PRIVATE, "Geometric mean of both views, left side over right")
NEW_LESIONS: Code = ("NEW_LESIONS", PRIVATE, "Number of lesions that the prior scan does not show")
OVER_REGION: Code = ("OVER_REGION", PRIVATE, "Over the median counts of the region outside hot spots")
VERDICT: Code = ("VERDICT", PRIVATE, "Verdict on a hot spot")
SUSPICIOUS: Code = ("SUSPICIOUS", PRIVATE, "Suspicious")
NOT_SUSPICIOUS: Code = ("NOT_SUSPICIOUS", PRIVATE, "Not suspicious")
SET_BY: Code = ("SET_BY", PRIVATE, "Verdict set by")
READER: Code = ("READER", PRIVATE, "Reader")
MODEL: Code = ("MODEL", PRIVATE, "Model or rule")


def private_ratio(name: str) -> Code:
    """The code of a ratio of uptakes, by its name in tables; a code value has at most 16 characters."""
    return (
        f"{name[:9].upper()}_{hashlib.sha256(name.encode()).hexdigest()[:6].upper()}",
        PRIVATE,
        f"Ratio of uptake: {name.replace('_', ' ')}"[:64],
    )


def private_scheme() -> Dataset:
    """An item of Coding Scheme Identification Sequence, which says that the scheme is private."""
    return item(
        CodingSchemeDesignator=PRIVATE,
        CodingSchemeName="Private codes of napari-bonescint, research software",
        CodingSchemeResponsibleOrganization="napari-bonescint",
    )
