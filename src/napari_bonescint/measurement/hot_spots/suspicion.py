"""Whether a hot spot is suspicious of a metastasis, and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_bonescint.anatomy import CODES, REGIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.measurement.measures import HotSpotVerdict, Side

SUSPICIOUS_FROM = 0.15
"""Lowest probability of a metastasis with which a hot spot is suspicious: about one false alarm a scan on held-out
simulated cases."""

SUSPICIOUS_RATIO = 3.0
"""Without a model: lowest ratio of the peak to the region's median with which a hot spot is suspicious."""

_JOINTS = {
    ("femur", "lower_leg"): "knee",
    ("lower_leg", "foot"): "ankle",
    ("scapula", "humerus"): "shoulder",
    ("clavicle", "humerus"): "shoulder",
    ("clavicle", "scapula"): "acromioclavicular joint",
    ("clavicle", "sternum"): "sternoclavicular joint",
    ("humerus", "forearm"): "elbow",
    ("forearm", "hand"): "wrist",
    ("pelvis", "femur"): "hip",
}
_FULL_OF_JOINTS = ("hand", "foot")


@dataclass(frozen=True)
class Evidence:
    """What tells whether a hot spot is suspicious.

    Attributes
    ----------
    region : str
        Name of its region; ``background`` outside bone.
    side : str
        The patient's side.
    peak_ratio : float
        Highest counts over the region's normal.
    joint : str
        The joint that it lies at, such as ``knee``; empty elsewhere.
    in_face : bool
        True in the lower half of the skull in the anterior view: jaw, teeth and sinuses.
    both_views : bool
        True if the opposite view shows it, too.
    two_views : bool
        True if there is an opposite view.
    mirrored : bool
        True if a hot spot lies at the same place on the patient's other side.
    probability : float or None
        Calibrated probability of a metastasis; None without a model.
    benign : float or None
        Probability of benign focal uptake; None without a model.
    """

    region: str
    side: Side
    peak_ratio: float
    joint: str
    in_face: bool
    both_views: bool
    two_views: bool
    mirrored: bool
    probability: float | None
    benign: float | None


def joint_near(codes: Iterable[int]) -> str:
    """The joint of the bones whose region codes are found near a place; empty if it is none."""
    names = {REGIONS[code].name for code in codes}
    for (one, other), joint in _JOINTS.items():
        if one in names and other in names:
            return joint
    return next((name for name in _FULL_OF_JOINTS if name in names), "")


def is_suspicious(evidence: Evidence) -> bool:
    """True if a model finds a metastasis probable enough; without a model, by a rule.

    The rule: in bone, the peak at least 3 times the region's median, at no joint, not in the face, and none alike on
    the other side.
    """
    if evidence.region not in CODES or not CODES[evidence.region]:
        return False
    if evidence.probability is not None:
        return evidence.probability >= SUSPICIOUS_FROM
    usual = evidence.joint or evidence.in_face or evidence.mirrored
    return evidence.peak_ratio >= SUSPICIOUS_RATIO and not usual


def reason(evidence: Evidence, verdict: HotSpotVerdict) -> str:
    """The reason for a verdict, such as ``peak 3.4 times the ribs' median, seen from both sides``."""
    code = CODES.get(evidence.region, 0)
    facts = ["decided by the reader"] if verdict.by_reader else []
    if not code:
        return ", ".join([*facts, "outside bone"])
    if evidence.probability is not None:
        too_low = evidence.probability < SUSPICIOUS_FROM and not verdict.suspicious
        limit = f" (suspicious from {SUSPICIOUS_FROM:.2f})" if too_low else ""
        facts.append(f"probability of a metastasis {evidence.probability:.2f}{limit}")
        if not verdict.suspicious and evidence.benign is not None and evidence.benign > evidence.probability:
            facts.append(f"likelier a worn joint, fracture or Paget's disease ({evidence.benign:.2f})")
    facts.append(f"peak {evidence.peak_ratio:.1f} times the {_possessive(REGIONS[code].label)} median")
    if evidence.joint:
        facts.append(f"at the {evidence.joint}")
    if evidence.in_face:
        facts.append("in the face")
    if evidence.mirrored:
        facts.append("alike on the other side")
    if evidence.two_views:
        facts.append("seen from both sides" if evidence.both_views else "seen in this view only")
    return ", ".join(facts)


def _possessive(label: str) -> str:
    return f"{label}'" if label.endswith("s") else f"{label}'s"
