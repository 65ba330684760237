"""Segmenting in several processes, of which some die."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from deadly import DeadlySource
from listening import Listener
from napari_bonescint.batch.pipeline import work_here
from napari_bonescint.batch.processes import WorkersDie, work_in_processes
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.results import Result

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from napari_bonescint.batch.job import Job
    from napari_bonescint.batch.segmenting import Segmenting

    Jobs = Callable[[int], list[Job]]

needs_sigkill = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")


def workers() -> list[psutil.Process]:
    """The worker processes that there are, without what multiprocessing itself keeps."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):  # also what has ended and waits for its parent to notice
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def deadly(job: Job, until: Path | None = None) -> Job:
    return replace(job, source=DeadlySource(job.source.paths, job.source.result, until=until))


def test_several_processes_write_what_one_does(jobs: Jobs, work: Segmenting, tmp_path: Path) -> None:
    some = jobs(7)
    alone, together = Listener(), Listener()
    before = len(workers())
    work_here([replace(job, result=Result(tmp_path / "alone", job.result.stem)) for job in some], work, alone)
    work_in_processes(some, work, together, 2)
    assert together.kinds == alone.kinds == dict.fromkeys(range(7), "segmented")
    assert set(together.notes) == set(alone.notes) == {"Model tiny. CPU: chosen by the user."}
    assert len(workers()) == before
    for job in some:
        for kind in ("skeleton", "regions"):
            name = f"{job.result.stem}.{kind}.tif"
            assert (tmp_path / "alone" / name).read_bytes() == (job.result.folder / name).read_bytes()
    again = Listener()
    work_in_processes(some, replace(work, run="another"), again, 2)
    assert again.kinds == dict.fromkeys(range(7), "kept")
    assert again.notes == []


@needs_sigkill
def test_a_scan_that_kills_its_process_fails_by_name_and_no_other_does(jobs: Jobs, work: Segmenting) -> None:
    some = jobs(7)
    some[2] = deadly(some[2])
    listener = Listener()
    work_in_processes(some, work, listener, 2)
    assert listener.kinds == {**dict.fromkeys(range(7), "segmented"), 2: "failed"}
    (complaint,) = [
        complaint for outcome in listener.outcomes for complaint in outcome.complaints if "error" in complaint
    ]
    why = "its worker process ended unexpectedly (SIGKILL, most often for lack of memory), twice"
    assert complaint == f"error: {some[2].name}: could not be segmented ({why})."


@needs_sigkill
def test_a_scan_whose_process_was_killed_once_is_tried_again(jobs: Jobs, work: Segmenting, tmp_path: Path) -> None:
    some = jobs(4)
    some[1] = deadly(some[1], tmp_path / "has died")
    listener = Listener()
    work_in_processes(some, work, listener, 2)
    assert (tmp_path / "has died").exists()
    assert listener.kinds == dict.fromkeys(range(4), "segmented")


@needs_sigkill
def test_where_all_processes_die_it_is_given_up(jobs: Jobs, work: Segmenting) -> None:
    (job,) = jobs(1)
    many = [replace(deadly(job), number=number) for number in range(30)]
    listener = Listener()
    with pytest.raises(WorkersDie, match="The last 13 worker processes ended unexpectedly"):
        work_in_processes(many, work, listener, 1)
    assert set(listener.kinds.values()) == {"failed"}


def test_a_model_that_is_not_there_ends_all(jobs: Jobs, work: Segmenting) -> None:
    work.card.weights_path.unlink()
    before = len(workers())
    with pytest.raises(ModelError, match="cannot be read"):
        work_in_processes(jobs(4), work, Listener(), 2)
    assert len(workers()) == before
