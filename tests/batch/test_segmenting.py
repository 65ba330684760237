"""One scan of many that are segmented."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.batch.job import Outcome
from napari_bonescint.formats.opening import ScanSource
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.scan import Scan
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.batch.job import Job
    from napari_bonescint.batch.segmenting import Segmenting

    Jobs = Callable[[int], list[Job]]


def carry_out(job: Job, work: Segmenting) -> Outcome:
    scan = work.read(job)
    if isinstance(scan, Outcome):
        return scan
    assert isinstance(scan, Scan)
    segmenter = work.load()
    segmentation = work.compute(job, scan, lambda: segmenter, lambda _fraction: None)
    assert isinstance(segmentation, Segmentation)
    return work.write(job, scan, segmentation)


def test_what_a_first_attempt_of_a_run_has_finished_a_second_does_not_do_again(jobs: Jobs, work: Segmenting) -> None:
    (job,) = jobs(1)
    work = replace(work, overwrite=True)
    first = carry_out(job, work)
    assert first.kind == "segmented"
    before = job.result.facts.stat()
    assert work.read(job) == first
    assert job.result.facts.stat() == before
    assert isinstance(replace(work, run="another").read(job), Scan)
    kept = replace(work, run="another", overwrite=False).read(job)
    assert isinstance(kept, Outcome)
    assert kept.kind == "kept"


def test_jobs_work_and_outcomes_can_be_sent(jobs: Jobs, work: Segmenting) -> None:
    (job,) = jobs(1)
    for thing in (job, work, carry_out(job, work)):
        assert pickle.loads(pickle.dumps(thing)) == thing  # noqa: S301 - our own


def test_what_nobody_foresaw_in_one_scan_is_its_own_failure(jobs: Jobs, work: Segmenting) -> None:
    (job,) = jobs(1)
    nameless = replace(job, source=ScanSource((), job.source.result))
    outcome = work.read(nameless)
    assert isinstance(outcome, Outcome)
    assert outcome.kind == "failed"
    assert outcome.complaints[0].startswith("error: : could not be segmented (")


def test_a_model_that_cannot_be_loaded_is_nobodys_own_failure(jobs: Jobs, work: Segmenting) -> None:
    (job,) = jobs(1)
    scan = work.read(job)
    assert isinstance(scan, Scan)
    work.card.weights_path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        work.compute(job, scan, lambda: work.load(), lambda _fraction: None)


def test_where_a_model_runs_is_described(work: Segmenting) -> None:
    assert work.describe(work.load()) == "Model tiny. CPU: chosen by the user."
