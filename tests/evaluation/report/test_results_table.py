from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from napari_bonescint.evaluation.report.results_table import in_order, results_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.evaluation.report.results_store import ModelResults

    Make = Callable[..., ModelResults]

# The deck's row of FDN-13.
DECK = ["0.0490", "0.9570", "0.9526", "0.9341"]


def cells(page: str, heading: str, first: str) -> list[str]:
    """The cells of the row that begins with `first` under a heading."""
    section = page.partition(f"## {heading}")[2].partition("\n## ")[0]
    (row,) = (line for line in section.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_our_figures_stand_beside_the_published_ones(model_results: Make) -> None:
    page = results_page([model_results("fdn-13")], None)
    ours = "0.9000 ± 0.0200 (n 4)"
    assert cells(page, "Networks", "fdn-13") == [
        *("fdn-13", "488,793", "skeleton", "4.4", "0.0500", DECK[0]),
        *("–", DECK[1], ours, DECK[2], ours, DECK[3], "–", "1200", "–"),
    ]


def test_every_published_network_has_a_row(model_results: Make) -> None:
    page = results_page([model_results("fdn-13")], None)
    assert page.count("(not measured)") == 10
    assert cells(page, "Networks", "u-net (not measured)")[-4] == "0.8591"


def test_a_model_of_regions_is_not_held_against_the_deck(model_results: Make) -> None:
    page = results_page([model_results("fdn-13-regions", outputs=17)], None)
    row = cells(page, "Networks", "fdn-13-regions")
    assert row[2] == "16 regions"
    assert not set(DECK) & set(row)
    assert cells(page, "Regions of fdn-13-regions", "skull") == ["skull", "0.9500", "0.9500", "0.9500"]


def test_external_sets_stand_apart_and_are_marked(model_results: Make) -> None:
    page = results_page([model_results("fdn-13-regions", outputs=17)], None)
    assert "hospital" not in page.partition("## Simulated sets in detail")[2].partition("\n## ")[0]
    heading = "External sets: not reproducible by the reader (data not public)"
    assert cells(page, heading, "fdn-13-regions")[1] == "hospital"
    assert "| region | validation | test | hospital † |" in page


def test_the_error_of_calibration_is_told(model_results: Make) -> None:
    page = results_page([model_results("fdn-13")], "reliability.svg")
    # Ten pixels said 0.9, of which nine are bone, and ten said 0.1, of which three are bone.
    assert cells(page, "Calibration", "fdn-13") == ["fdn-13", "0.1000", "0.1000", "0.1000"]
    assert "](reliability.svg)" in page


def test_the_same_results_give_the_same_page(model_results: Make) -> None:
    models = [model_results("fdn-16"), model_results("a-regions", outputs=17), model_results("fdn-5")]
    assert results_page(in_order(models), None) == results_page(in_order(models[::-1]), None)
    assert [model.name for model in in_order(models)] == ["fdn-5", "fdn-16", "a-regions"]


@pytest.mark.parametrize("said", ["2026-11-24", "CPU: Some CPU, 2 of 2 cores", "--split validation --count 2"])
def test_the_page_says_when_on_what_and_how_to_repeat_it(model_results: Make, said: str) -> None:
    assert said in results_page([model_results("fdn-13")], None).partition("## Data")[0]
