"""How a scan was acquired, as plain facts that identify nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.terms import reduced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.formats.dicom.header import Header
    from napari_bonescint.formats.dicom.photopeak import EnergyWindow

Facts = dict[str, str | int | float]


def acquisition_facts(header: Header, detectors: Iterable[Header], window: EnergyWindow) -> Facts:
    """The facts that a file gives; those that it does not give are left out.

    Parameters
    ----------
    header : Header
        The data set.
    detectors : iterable of Header
        Items of the Detector Information Sequence of the frames that are kept.
    window : EnergyWindow
        The window that was chosen.

    Returns
    -------
    dict
        Of strings and numbers. This is a list of what is wanted, not of what is left out: no name, identifier, date or
        institution of the file gets through, nor any other text that people typed, see `terms`.
    """
    collimators = sorted({detector.text("CollimatorType") for detector in detectors} - {""})
    stated = {
        "image_type": header.text("ImageType"),
        "matrix": f"{header.integer('Rows')}x{header.integer('Columns')}",
        "counts_accumulated": header.integer("CountsAccumulated"),
        "frame_duration_s": _scaled(header.number("ActualFrameDuration"), 1e-3),
        "scan_velocity_mm_per_s": header.number("ScanVelocity"),
        "whole_body_technique": header.text("WholeBodyTechnique"),
        "photopeak_window": window.label,
        "radionuclide": _radionuclide(header),
        "collimator_type": ", ".join(collimators),
        "manufacturer": header.text("Manufacturer"),
        "model": header.text("ManufacturerModelName"),
    }
    return reduced(stated)


def _scaled(number: float | None, factor: float) -> float | None:
    return None if number is None else round(number * factor, 6)


def _radionuclide(header: Header) -> str:
    for item in header.items("RadiopharmaceuticalInformationSequence"):
        for code in item.items("RadionuclideCodeSequence"):
            return code.text("CodeMeaning")
    return ""
