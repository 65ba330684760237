from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_bonescint.corrections.store.lookalikes import Lookalikes, are_alike, sketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_bonescint.corrections.store.label_store import LabelStore
    from napari_bonescint.scan import Scan

KEY = b"5" * 64


def body(seed: int) -> NDArray[np.uint16]:
    """Counts that grow from head to foot."""
    expected = np.broadcast_to(np.linspace(1, 20, 256)[:, None], (2, 256, 96))
    return np.random.default_rng(seed).poisson(expected).astype(np.uint16)


def altered(counts: NDArray[np.uint16]) -> NDArray[np.uint16]:
    changed = counts.copy()
    rng = np.random.default_rng(0)
    for view, row, column in zip(
        rng.integers(2, size=9), rng.integers(256, size=9), rng.integers(96, size=9), strict=True
    ):
        changed[view, row, column] += 7
    return changed


@pytest.mark.parametrize(
    "change",
    [
        altered,
        lambda counts: counts[:, 3:, :-5],
        lambda counts: counts[:, :, ::-1],
        lambda counts: counts[::-1],
        lambda counts: np.pad(counts, ((0, 0), (4, 4), (9, 9))),
    ],
    ids=["some pixels", "cut", "mirrored", "views swapped", "padded"],
)
def test_other_exports_of_a_scan_are_alike(change) -> None:
    counts = body(1)
    assert are_alike(sketch(counts, KEY), sketch(change(counts), KEY))


def test_another_scan_of_the_same_body_is_not(scan: Scan) -> None:
    one = sketch(body(1), KEY)
    assert not are_alike(one, sketch(body(2), KEY))
    # Nor is anything told to whoever has the scan, but not the secret.
    assert not are_alike(one, sketch(body(1), b"6" * 64))
    assert not are_alike(sketch(scan.counts * 0, KEY), sketch(scan.counts * 0, KEY))


def test_cases_are_found_in_a_store_and_remembered(store: LabelStore, scan: Scan) -> None:
    counts = [body(1), altered(body(1)), body(2)]
    cases = [store.add(replace(scan, counts=each, source_sha256=f"{i}")) for i, each in enumerate(counts)]
    first = Lookalikes(store)
    assert [first.like(case) for case in cases] == [[cases[1]], [cases[0]], []]
    first.keep()
    for case in cases:
        (store.folder / "cases" / case / "counts.tif").unlink()
    again = Lookalikes(store)
    assert again.like(cases[0]) == [cases[1]]
