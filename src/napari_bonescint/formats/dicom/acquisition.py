"""Facts about the acquisition of a scan that identify nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_bonescint.formats.dicom.terms import reduced

if TYPE_CHECKING:
    from collections.abc import Iterable

    from napari_bonescint.formats.dicom.header import Header
    from napari_bonescint.formats.dicom.photopeak import EnergyWindow

Facts = dict[str, str | int | float]


def acquisition_facts(header: Header, detectors: Iterable[Header], window: EnergyWindow) -> Facts:
    """Acquisition facts of a file, of the energy window and the detectors (items of a sequence) of its frames.

    A missing fact is left out. This is a list of wanted facts: no name, identifier, date or institution passes, nor any
    other free text, see `terms`.
    """
    collimators = sorted({detector.text("CollimatorType") for detector in detectors} - {""})
    milliseconds = header.number("ActualFrameDuration")
    stated = {
        "image_type": header.text("ImageType"),
        "matrix": f"{header.integer('Rows')}x{header.integer('Columns')}",
        "counts_accumulated": header.integer("CountsAccumulated"),
        "frame_duration_s": None if milliseconds is None else round(milliseconds * 1e-3, 6),
        "scan_velocity_mm_per_s": header.number("ScanVelocity"),
        "whole_body_technique": header.text("WholeBodyTechnique"),
        "photopeak_window": window.label,
        "radionuclide": _radionuclide(header),
        "collimator_type": ", ".join(collimators),
        "manufacturer": header.text("Manufacturer"),
        "model": header.text("ManufacturerModelName"),
    }
    return reduced(stated)


def _radionuclide(header: Header) -> str:
    for item in header.items("RadiopharmaceuticalInformationSequence"):
        for code in item.items("RadionuclideCodeSequence"):
            return code.text("CodeMeaning")
    return ""
