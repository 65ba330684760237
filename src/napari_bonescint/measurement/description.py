"""Describe hot spots: place, size, ratios, the same lesion in the other view, suspicious or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.anatomy import REGIONS
from napari_bonescint.measurement.body import spacing_of
from napari_bonescint.measurement.bones import SIDES
from napari_bonescint.measurement.examination import examine
from napari_bonescint.measurement.hot_spots.marked import MarkedPixels
from napari_bonescint.measurement.hot_spots.pairing import find_mirrored, find_partners
from napari_bonescint.measurement.hot_spots.surroundings import is_in_face, look_around
from napari_bonescint.measurement.hot_spots.suspicion import Evidence, is_suspicious, joint_near, reason
from napari_bonescint.measurement.measures import HotSpot, HotSpotVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_bonescint.measurement.examination import Examination
    from napari_bonescint.measurement.measures import UptakeClasses
    from napari_bonescint.scan import Scan, ViewName


def describe_hot_spots(
    scan: Scan,
    regions: NDArray[np.uint8],
    labels: NDArray[np.uint16],
    classes: UptakeClasses | None = None,
    decided: Mapping[tuple[ViewName, int], HotSpotVerdict] | None = None,
    *,
    probabilities: Mapping[tuple[ViewName, int], float] | None = None,
    examined: Examination | None = None,
    normals: NDArray[np.float64] | None = None,
) -> tuple[HotSpot, ...]:
    """Describe each hot spot, in the order of views and labels.

    Parameters
    ----------
    scan : Scan
        The scan.
    regions : ndarray of uint8, shape (view, y, x)
        Region codes.
    labels : ndarray of uint16, shape (view, y, x)
        Hot spots, numbered within a view from 1.
    classes : UptakeClasses, optional
        Probabilities of each pixel, by a model or by a rule.
    decided : mapping of (ViewName, int) to HotSpotVerdict, optional
        Verdicts that stay, by view and label.
    probabilities : mapping of (ViewName, int) to float, optional
        Known probabilities of spots, by view and label, used where there are no `classes`.
    examined : Examination, optional
        That of the scan and its regions, if it is known.
    normals : ndarray of float64, shape (view, region code, side), optional
        Normal counts outside the hot spots, if they are known.
    """
    examined = examined or examine(scan, regions)
    marked = MarkedPixels.of(labels, examined.bones)
    if not len(marked):
        return ()
    spacing = spacing_of(scan)
    flat = scan.counts.reshape(-1)
    normals = examined.normals(labels) if normals is None else normals
    code, side = marked.places.T
    normal = normals[marked.view, code, side]
    counts = flat[marked.at].astype(np.float64)
    mean, peak = marked.mean(counts), marked.highest(counts)
    around = look_around(marked, labels, regions, scan.counts, spacing)
    ring = np.where(around.ring_mean > 0, around.ring_mean, normal)
    partner = find_partners(marked, spacing)
    mirrored = find_mirrored(marked, spacing)
    in_face = is_in_face(marked)
    lesion, benign = _spot_probabilities(marked, classes)
    names = [view.name for view in scan.views]
    spots = []
    for index in range(len(marked)):
        name, number = names[marked.view[index]], int(marked.id[index])
        probability = (probabilities or {}).get((name, number)) if lesion is None else float(lesion[index])
        evidence = Evidence(
            region=REGIONS[code[index]].name,
            side=SIDES[side[index]],
            peak_ratio=float(peak[index] / normal[index]),
            joint=joint_near(np.flatnonzero(around.near[index]).tolist()),
            in_face=bool(in_face[index]),
            both_views=bool(partner[index] >= 0),
            two_views=len(names) == 2,
            mirrored=bool(mirrored[index]),
            probability=probability,
            benign=None if benign is None else float(benign[index]),
        )
        verdict = (decided or {}).get((name, number)) or HotSpotVerdict(is_suspicious(evidence))
        pixels = int(marked.pixels[index])
        spots.append(
            HotSpot(
                id=number,
                view=name,
                region=evidence.region,
                side=evidence.side,
                row=float(marked.centres[index, 0]),
                column=float(marked.centres[index, 1]),
                pixels=pixels,
                area_mm2=None if scan.spacing is None else pixels * scan.spacing[0] * scan.spacing[1],
                peak_ratio=evidence.peak_ratio,
                mean_ratio=float(mean[index] / normal[index]),
                ring_ratio=float(mean[index] / ring[index]),
                probability=probability,
                verdict=verdict,
                reason=reason(evidence, verdict),
                other_view_id=int(marked.id[partner[index]]) if evidence.both_views else None,
            )
        )
    return tuple(spots)


def _spot_probabilities(
    marked: MarkedPixels, classes: UptakeClasses | None
) -> tuple[NDArray[np.float64] | None, NDArray[np.float64] | None]:
    """Probability of a metastasis and of benign focal uptake of each spot; None without a model."""
    if classes is None or not classes.model_sha256:
        return None, None
    lesion, benign = (
        marked.mean(image.reshape(-1)[marked.at].astype(np.float64)) for image in (classes.lesion, classes.benign)
    )
    return lesion, benign
