"""One scan of many that are measured."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from deadly import DeadlySource
from listening import Listener
from napari_bonescint.anatomy import CODES
from napari_bonescint.batch.job import Outcome
from napari_bonescint.batch.measuring import Measuring
from napari_bonescint.batch.processes import work_in_processes
from napari_bonescint.formats.masks.label_tiff import write_labels
from napari_bonescint.formats.opening import ScanSource
from napari_bonescint.measurement.files import MeasureFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.batch.job import Job
    from napari_bonescint.inference.model_card import ModelCard

    Jobs = Callable[[int], list[Job]]


@pytest.fixture
def measuring(make_model: Callable[..., ModelCard], tmp_path: Path) -> Measuring:
    return Measuring(make_model(), None, "cpu", {}, run="this one", masks=tmp_path / "masks")


@pytest.fixture
def masked(jobs: Jobs, tmp_path: Path) -> Jobs:
    """Makes jobs, and a mask for each."""

    def make(count: int) -> list[Job]:
        (tmp_path / "masks").mkdir(exist_ok=True)
        codes = np.zeros((2, 64, 32), np.uint8)
        codes[:, 10:40, 5:25] = CODES["pelvis"]
        made = []
        for job in jobs(count):
            write_labels(tmp_path / "masks" / f"{job.number}.regions.tif", codes, None)
            made.append(replace(job, source=ScanSource(job.source.paths, Path(str(job.number)))))
        return made

    return make


def carry_out(job: Job, work: Measuring) -> Outcome:
    opened = work.read(job)
    if isinstance(opened, Outcome):
        return opened
    engine = work.load()
    computed = work.compute(job, opened, lambda: engine, lambda _fraction: None)
    return computed if isinstance(computed, Outcome) else work.write(job, opened, computed)


def test_what_a_first_attempt_of_a_run_has_finished_a_second_does_not_do_again(
    masked: Jobs, measuring: Measuring
) -> None:
    (job,) = masked(1)
    work = replace(measuring, overwrite=True)
    first = carry_out(job, work)
    assert first.kind == "measured"
    facts = MeasureFiles(job.result.folder, job.result.stem).facts
    before = facts.stat()
    assert work.read(job) == first
    assert facts.stat() == before
    kept = replace(work, run="another", overwrite=False).read(job)
    assert isinstance(kept, Outcome)
    assert kept.kind == "kept"


def test_jobs_works_and_outcomes_can_be_sent(masked: Jobs, measuring: Measuring) -> None:
    new, old = masked(2)
    job = replace(new, priors=(old,))
    for thing in (job, measuring, carry_out(job, replace(measuring, same_patient=True))):
        assert pickle.loads(pickle.dumps(thing)) == thing  # noqa: S301 - our own
    assert job.paths == (*new.source.paths, *old.source.paths)


def test_where_the_models_run_is_described(measuring: Measuring, make_model: Callable[..., ModelCard]) -> None:
    assert measuring.describe(measuring.load()) == "Model thresholds. CPU: chosen by the user."
    segmenting = replace(measuring, masks=None)
    assert segmenting.describe(segmenting.load()) == "Models tiny and thresholds. CPU: chosen by the user."


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_scan_that_kills_its_process_fails_by_name_and_no_other_does(masked: Jobs, measuring: Measuring) -> None:
    some = masked(4)
    some[2] = replace(some[2], source=DeadlySource(some[2].source.paths, some[2].source.result))
    listener = Listener()
    work_in_processes(some, measuring, listener, 2)
    assert listener.kinds == {**dict.fromkeys(range(4), "measured"), 2: "failed"}
    (complaint,) = [each for outcome in listener.outcomes for each in outcome.complaints if each.startswith("error")]
    assert complaint.startswith(f"error: {some[2].name}: could not be measured (its worker process ended unexpectedly")
