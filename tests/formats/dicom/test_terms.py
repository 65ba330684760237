"""What is kept of a file's own words is a term that is known before the file is read."""

from __future__ import annotations

import pytest

from napari_bonescint.formats.dicom.terms import camera, image_type, radionuclide, reduced, tracer, vendor


@pytest.mark.parametrize(
    ("text", "maker"),
    [
        ("GE MEDICAL SYSTEMS", "GE"),
        ("GEMS", "GE"),
        ("Siemens NM", "Siemens"),
        ("ADAC Laboratories", "ADAC"),
        ("SMV", "SMV"),
        ("Mediso Medical Imaging", "Mediso"),
        ("PHILIPS", "Philips"),
        ("George Agee", ""),
        ("Smith^John", ""),
        ("", ""),
    ],
)
def test_makers(text: str, maker: str) -> None:
    assert vendor(text) == maker


@pytest.mark.parametrize(
    ("text", "product"),
    [
        ("MILLENNIUM MG", "MILLENNIUM MG"),
        ("Discovery NM/CT 670 Pro", "DISCOVERY NM/CT 670 PRO"),
        ("Tandem_Discovery_670 Dr Smith", ""),
        ("INFINIA", "INFINIA"),
        ("Symbia Intevo Bold", "SYMBIA INTEVO BOLD"),
        ("Encore2 Symbia T2 of Smith", "SYMBIA T2"),
        ("BrightView XCT", "BRIGHTVIEW XCT"),
        ("e.cam", "E.CAM"),
        ("Camera of John Smith", ""),
    ],
)
def test_products(text: str, product: str) -> None:
    assert camera(text) == product


@pytest.mark.parametrize("text", ["^99m^Technetium", "Technetium-99m", "99mTechnetium", "Tc-99m", "99m Tc", "Smith"])
def test_one_radionuclide_has_one_name(text: str) -> None:
    assert radionuclide(text) == ("" if text == "Smith" else "99mTechnetium")


def test_image_types_that_the_standard_lacks_are_other_ones() -> None:
    assert image_type("ORIGINAL\\PRIMARY\\whole_body\\EMISSION") == "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION"
    assert image_type("ORIGINAL\\SMITH^JOHN\\TOMO") == "ORIGINAL\\OTHER\\TOMO"
    assert image_type("") == ""


def test_of_all_facts_only_numbers_and_terms_are_kept() -> None:
    facts = {
        "matrix": "1024x256",
        "counts_accumulated": 12,
        "frame_duration_s": "Smith",
        "collimator_type": "PARA, Smith",
        "photopeak_window": "126-154 keV",
        "photopeak_window_name": "Smith early",
        "whole_body_technique": "(0010,0010) Patient's Name PN: 'Smith^John'",
        "manufacturer": "GE Smith",
        "patient": "Smith",
    }
    assert reduced(facts) == {
        "matrix": "1024x256",
        "counts_accumulated": 12,
        "collimator_type": "PARA",
        "photopeak_window": "126-154 keV",
        "manufacturer": "GE",
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Tc99m-HMDP", "HDP"),
        ("Technetium Tc-99m Medronate", "MDP"),
        ("99mTc MDP of Smith", "MDP"),
        ("^99m^Technetium oxidronate", "HDP"),
        ("DPD", "DPD"),
        ("FDG", ""),
        ("Mdpherson", ""),
    ],
)
def test_tracers(text: str, name: str) -> None:
    assert tracer(text) == name
