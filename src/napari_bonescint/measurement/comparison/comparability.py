"""Reasons why two scans must not be compared without reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.measurement.counts import why_no_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_bonescint.formats.dicom.two_studies import TwoStudies
    from napari_bonescint.measurement.comparison.changes import MeasuredScan

MOST_REPRODUCIBLE_INDEX = 10.0
"""Above this bone scan index, repeat scans were found to agree badly (Reza et al., BMC Medical Imaging 2018, doi
10.1186/s12880-018-0257-5)."""

FAR_APART_HOURS = 1.5
"""Procedure guidelines let 2 to 5 hours pass from injection to acquisition; a difference of half of that range."""


def reasons_against(new: MeasuredScan, old: MeasuredScan, studies: TwoStudies) -> tuple[str, ...]:
    """Sentences, each with one reason; empty if the scans are comparable."""
    return (*_of_tracer(new, old, studies), *_of_images(new, old), *_of_measures(new, old))


def _of_tracer(new: MeasuredScan, old: MeasuredScan, studies: TwoStudies) -> Iterator[str]:
    mine, other = (str(each.scan.acquisition.get("radionuclide", "")) for each in (new, old))
    if mine and other and mine != other:
        yield f"The radionuclides differ: {mine} now, {other} before."
    mine, other = studies.tracers
    if mine and other and mine != other:
        yield f"The tracers differ: {mine} now, {other} before."
    now, before = studies.hours
    if now is not None and before is not None and abs(now - before) > FAR_APART_HOURS:
        yield f"The times from injection to acquisition differ: {now:.1f} hours now, {before:.1f} hours before."


def _of_images(new: MeasuredScan, old: MeasuredScan) -> Iterator[str]:
    for fact, name in (("manufacturer", "cameras are of different makers"), ("collimator_type", "collimators differ")):
        mine, other = (str(each.scan.acquisition.get(fact, "")) for each in (new, old))
        if mine and other and mine != other:
            yield f"The {name}: {mine} now, {other} before."
    for when, each in (("new", new), ("prior", old)):
        if reason := why_no_counts(each.scan):
            yield f"The {when} scan has no counts: {reason[0].lower()}{reason[1:]}"
    views = [{view.name for view in each.scan.views} for each in (new, old)]
    for when, missing in (("new", views[1] - views[0]), ("prior", views[0] - views[1])):
        if missing:
            yield f"The {when} scan has no {' and '.join(sorted(missing))} view, so the index is of other views."


def _of_measures(new: MeasuredScan, old: MeasuredScan) -> Iterator[str]:
    for when, each in (("new", new), ("prior", old)):
        index = each.measured.measures.index.total
        if index > MOST_REPRODUCIBLE_INDEX:
            yield (
                f"The bone scan index of the {when} scan is {index:.1f}; above {MOST_REPRODUCIBLE_INDEX:g}, repeat "
                "scans do not agree well enough."
            )
    mine, other = (dict(each.measured.measures.models) for each in (new, old))
    if mine and other and mine != other:
        yield f"The scans were measured with different models: {_models(mine)} now, {_models(other)} before."


def _models(models: dict[str, str]) -> str:
    """Names of models, with the beginning of their hashes, since two versions may have one name."""
    return " and ".join(f"{name} ({sha256[:8]})" if sha256 else name for name, sha256 in sorted(models.items()))
