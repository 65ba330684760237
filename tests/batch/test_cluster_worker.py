"""What a worker of a Dask cluster answers, called in this process."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint import __version__
from napari_bonescint.batch.cluster_worker import ClusterError, card_here, carry_out
from napari_bonescint.batch.job import Outcome
from napari_bonescint.inference.model_card import ModelError, shipped_models

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.batch.job import Job, Settings
    from napari_bonescint.inference.model_card import ModelCard


def test_a_worker_that_sees_another_folder_or_has_another_version_is_told(
    jobs: Callable[[int], list[Job]], settings: Settings, tmp_path: Path
) -> None:
    (job,) = jobs(1)
    nowhere = carry_out(job, settings, __version__, tmp_path / "out" / "marker").outcome
    assert isinstance(nowhere, ClusterError)
    assert str(nowhere).startswith(f"{tmp_path / 'out'}: is another folder on ")
    assert not (tmp_path / "out").exists()
    older = carry_out(job, settings, "0.0.1", tmp_path).outcome
    assert isinstance(older, ClusterError)
    assert f"has version {__version__} of napari-bonescint, this computer has 0.0.1" in str(older)


def test_a_worker_tells_that_it_does_not_see_a_scan(
    jobs: Callable[[int], list[Job]], settings: Settings, tmp_path: Path
) -> None:
    broken, gone = jobs(2)
    marker = tmp_path / "marker"
    marker.touch()
    broken.source.paths[0].write_bytes(b"no scan")
    gone.source.paths[0].unlink()
    for job, host in ((broken, ""), (gone, socket.gethostname())):
        answer = carry_out(job, settings, __version__, marker)
        assert isinstance(answer.outcome, Outcome)
        assert (answer.outcome.kind, answer.unseen_on) == ("failed", host)


def test_a_model_is_found_where_this_computer_has_it(make_model: Callable[..., ModelCard], tmp_path: Path) -> None:
    there = make_model()
    assert card_here(there) is there
    shipped = shipped_models()[0]
    assert card_here(replace(shipped, path=tmp_path / "elsewhere.json")) == shipped
    with pytest.raises(ModelError, match="all computers need the same version"):
        card_here(replace(shipped, path=tmp_path / "elsewhere.json", weights_sha256="00"))
