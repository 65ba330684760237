"""`bonescint archive find`: search an archive for studies, or list the series of a study."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING

from napari_bonescint.archive.priors import bone_scans_first, why_not
from napari_bonescint.archive.records import Query
from napari_bonescint.commands.archive.shared import add_action, opened, print_json, print_table, warn_about

if TYPE_CHECKING:
    from napari_bonescint.archive.interface import Archive

_STUDY_HEADINGS = ("DATE", "PATIENT", "NAME", "BORN", "ACCESSION", "KINDS", "IMAGES", "DESCRIPTION", "STUDY")
_SERIES_HEADINGS = ("NUMBER", "KIND", "IMAGES", "DESCRIPTION", "SERIES", "")


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    parser = add_action(
        actions,
        run,
        "find",
        "search for studies, or list the series of one study",
        "bonescint archive find pacs --name Smith --since 2026-01-01",
    )
    parser.add_argument("--patient-id", metavar="TEXT", default="", help="patient identifier; * and ? are wildcards")
    parser.add_argument("--name", metavar="TEXT", default="", help="beginning of the patient's name, such as Smith^Ann")
    parser.add_argument("--accession", metavar="TEXT", default="", help="accession number")
    parser.add_argument("--since", metavar="YYYY-MM-DD", type=_day, help="first date of the study")
    parser.add_argument("--until", metavar="YYYY-MM-DD", type=_day, help="last date of the study")
    parser.add_argument(
        "--modality", metavar="CODE", default="NM", help="kind of images (default: %(default)s; empty for all)"
    )
    parser.add_argument("--study", metavar="UID", default="", help="list the series of this study")


def run(arguments: argparse.Namespace) -> int:
    """Search an archive; returns the exit status."""
    with opened(arguments) as archive:
        return _list_series(archive, arguments) if arguments.study else _list_studies(archive, arguments)


def _list_studies(archive: Archive, arguments: argparse.Namespace) -> int:
    query = Query(
        patient_id=arguments.patient_id,
        patient_name=arguments.name,
        accession=arguments.accession,
        since=arguments.since,
        until=arguments.until,
        modality=arguments.modality,
    )
    found = archive.find_studies(query)
    if arguments.json:
        for study in found.items:
            print_json(study)
    elif found.items:
        print_table(
            _STUDY_HEADINGS,
            (
                (
                    *(_dashed(study.date), study.patient_id, study.patient_name, _dashed(study.birth_date)),
                    *(study.accession, ",".join(study.modalities), study.instances, study.description, study.uid),
                )
                for study in found.items
            ),
        )
        print(f"\n{len(found.items)} {'study' if len(found.items) == 1 else 'studies'}.")
    else:
        print("No study matches.")
    warn_about(found, arguments.archive)
    return 0


def _list_series(archive: Archive, arguments: argparse.Namespace) -> int:
    found = archive.find_series(arguments.study)
    ordered = bone_scans_first(found.items)
    if arguments.json:
        for series in ordered:
            print_json(series)
    elif ordered:
        rows = (
            (each.number, each.modality, each.instances, each.description, each.uid, why_not(each)) for each in ordered
        )
        print_table(_SERIES_HEADINGS, rows)
        print(f"\n{len(ordered)} series.")
    else:
        print("The archive has no series of this study.")
    warn_about(found, arguments.archive)
    return 0


def _dashed(day: str) -> str:
    """A date of DICOM, ``20260301``, as ``2026-03-01``; other text as it is."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 and day.isdecimal() else day


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-03-01") from None
