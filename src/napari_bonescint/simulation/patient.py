"""Properties of a patient that determine uptake, body and organs together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Patient:
    """Properties drawn once for a patient, because several parts of a scan depend on them.

    Attributes
    ----------
    size : float
        Height relative to the model's 1.70 m.
    fat : float
        0 for a slim patient, about 1 for an overweight and 3 for an obese one.
    squareness : float
        Flatness of the body on the table, see `body.wrap`.
    growing : bool
        Whether growth plates are open.
    worn : float
        Share of degenerate joints: 0 none, 1 most.
    metastases : int
        Number of metastases.
    superscan : bool
        Whether metastases are so many that bone takes nearly all tracer.
    soft_share : float
        Ratio of counts of soft tissue to counts of soft tissue and bone.
    """

    size: float
    fat: float
    squareness: float
    female: bool
    growing: bool
    worn: float
    metastases: int
    superscan: bool
    soft_share: float


def draw_patient(rng: np.random.Generator, size: float) -> Patient:
    """Draw a patient of a given size; small patients are often still growing."""
    fat = float(np.clip(rng.gamma(1.3, 0.5), 0, 3))
    growing = bool(rng.random() < (0.5 if size < 0.92 else 0.04))
    kind = rng.choice(4, p=[0.58, 0.2, 0.17, 0.05])
    superscan = bool(kind == 3 and not growing)
    metastases = int((0, rng.integers(1, 5), rng.integers(5, 40), rng.integers(50, 110))[kind])
    # In scans of good quality the share is below a half; late uptake, renal failure and obesity raise it.
    soft_share = float(np.clip(rng.normal(0.37 + 0.06 * fat, 0.13), 0.12, 0.85))
    if superscan:
        soft_share *= 0.4
    return Patient(
        size=size,
        fat=fat,
        squareness=float(rng.uniform(2.0, 3.4)),
        female=bool(rng.random() < 0.5),
        growing=growing,
        worn=0.05 if growing else float(rng.beta(1.3, 3)),
        metastases=metastases,
        superscan=superscan,
        soft_share=soft_share,
    )
