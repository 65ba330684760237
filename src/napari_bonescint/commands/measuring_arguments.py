"""Arguments of the commands that measure: masks, models and the patient of a prior scan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_bonescint.commands import argument_types
from napari_bonescint.commands.reading_arguments import overrides_in
from napari_bonescint.commands.terminal import print_error
from napari_bonescint.errors import BonescintError
from napari_bonescint.inference.model_card import FINDING_HOT_SPOTS, ModelError
from napari_bonescint.inference.model_registry import current_model

if TYPE_CHECKING:
    import argparse

    from napari_bonescint.batch.measuring import Measuring
    from napari_bonescint.inference.model_card import ModelCard

_W = TypeVar("_W", bound="Measuring")


def add_masks_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument --masks."""
    parser.add_argument(
        "--masks",
        metavar="DIR",
        type=Path,
        help="measure with the masks in this folder instead of segmenting: NAME.regions.tif, or DICOM SEG or NIfTI of "
        "the same pixels",
    )


def add_same_patient_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument --same-patient."""
    parser.add_argument(
        "--same-patient",
        action="store_true",
        help="a scan and its prior scan are of one patient, although their files name two",
    )


def add_report_to(parser: argparse.ArgumentParser) -> None:
    """Add the argument --report."""
    parser.add_argument(
        "--report",
        action="store_true",
        help="write NAME.report.pdf and .html; for DICOM also NAME.VIEW.seg.dcm (hot spots), NAME.sr.dcm and "
        "NAME.report.dcm for an archive, whose headers name the patient as the scan does",
    )


def add_model_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments --model and --device."""
    argument_types.add_current_model_to(
        parser, "--model", "for segmenting: a name from `bonescint models`, or a .safetensors file with its card"
    )
    argument_types.add_device_to(parser)


def work_of(kind: type[_W], arguments: argparse.Namespace) -> _W:
    """The work with the settings of the arguments; raises what makes it impossible for every scan."""
    if arguments.masks is None and not arguments.model.names_regions:
        raise ModelError(
            f"The model {arguments.model.name} marks bone without naming regions; choose a model that names regions to "
            "measure a scan."
        )
    if arguments.masks is not None and not arguments.masks.is_dir():
        raise BonescintError(f"{arguments.masks}: is no folder; --masks takes the folder with the masks.")
    return kind(
        arguments.model,
        hot_spot_model(),
        arguments.device,
        overrides_in(arguments),
        arguments.overwrite,
        masks=arguments.masks,
        same_patient=arguments.same_patient,
        report=arguments.report,
    )


def hot_spot_model() -> ModelCard | None:
    """The model in use that finds hot spots; if it cannot be used, thresholds are, with a warning."""
    try:
        return current_model(FINDING_HOT_SPOTS)
    except ModelError as error:
        print_error(f"warning: {error} Hot spots are found by thresholds instead.")
        return None
