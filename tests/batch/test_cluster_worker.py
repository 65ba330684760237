"""What a worker of a Dask cluster answers, called in this process."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from napari_bonescint import __version__
from napari_bonescint.batch.cluster_worker import ClusterError, carry_out
from napari_bonescint.batch.job import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.batch.job import Job
    from napari_bonescint.batch.segmenting import Segmenting


def test_a_worker_that_sees_another_folder_or_has_another_version_is_told(
    jobs: Callable[[int], list[Job]], work: Segmenting, tmp_path: Path
) -> None:
    (job,) = jobs(1)
    nowhere = carry_out(job, work, __version__, tmp_path / "out" / "marker").outcome
    assert isinstance(nowhere, ClusterError)
    assert str(nowhere).startswith(f"{tmp_path / 'out'}: is another folder on ")
    assert not (tmp_path / "out").exists()
    older = carry_out(job, work, "0.0.1", tmp_path).outcome
    assert isinstance(older, ClusterError)
    assert f"has version {__version__} of napari-bonescint, this computer has 0.0.1" in str(older)


def test_a_worker_tells_that_it_does_not_see_a_scan(
    jobs: Callable[[int], list[Job]], work: Segmenting, tmp_path: Path
) -> None:
    broken, gone = jobs(2)
    marker = tmp_path / "marker"
    marker.touch()
    broken.source.paths[0].write_bytes(b"no scan")
    gone.source.paths[0].unlink()
    for job, host in ((broken, ""), (gone, socket.gethostname())):
        answer = carry_out(job, work, __version__, marker)
        assert isinstance(answer.outcome, Outcome)
        assert (answer.outcome.kind, answer.unseen_on) == ("failed", host)
