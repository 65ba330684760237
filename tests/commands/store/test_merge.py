"""`bonescint store merge` on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_bonescint.cli import main
from napari_bonescint.corrections.store.label_store import LabelStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest


def counts(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).poisson(9, (2, 64, 32)).astype(np.uint16)


def test_who_is_in_both_stores_is_told_by_files_or_a_table(
    write_nm: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [
        write_nm(f"{name}.dcm", counts=counts(seed), PatientID=number)
        for seed, (name, number) in enumerate((("a", "ID-1"), ("b", "id 01"), ("c", "ID-9")))
    ]
    folders = [tmp_path / name for name in ("ours", "theirs")]
    for folder, inputs in zip(folders, (paths[:1], paths[1:]), strict=True):
        assert main(["store", "create", str(folder)]) == 0
        assert main(["store", "add", str(folder), *map(str, inputs)]) == 0
    merging = ["store", "merge", *map(str, folders)]
    capsys.readouterr()
    assert main(merging) == 0
    said = capsys.readouterr()
    assert said.out == "2 cases copied, 0 there already with 0 new revisions, 0 failed. 0 patients in both.\n"
    assert said.err.startswith(f"warning: 2 patients of {folders[1]} may already be in the store")
    assert main([*merging, "--source", *map(str, paths)]) == 0
    said = capsys.readouterr()
    assert said.out == "0 cases copied, 2 there already with 0 new revisions, 0 failed. 1 patient in both.\n"
    assert said.err == ""
    patients = LabelStore.open(folders[0]).patients()
    keys = {case.patient_key for case in LabelStore.open(folders[0]).cases()}
    assert len({patients.person(key) for key in keys}) == 2
    # A table links the third.
    table = tmp_path / "who.csv"
    table.write_text("patient,id,file\nA,ID-1,\nA,,c.dcm\n")
    assert main([*merging, "--patients", str(table)]) == 0
    assert capsys.readouterr().out.endswith("1 patient in both.\n")
    assert main(["store", "list", str(folders[0])]) == 0
    assert "3 scans of 1 patient. " in capsys.readouterr().out
