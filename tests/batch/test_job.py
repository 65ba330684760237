"""One scan of many."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from napari_bonescint.batch.job import Outcome, compute, describe, load, read, write
from napari_bonescint.formats.opening import ScanSource
from napari_bonescint.inference.model_card import ModelError
from napari_bonescint.scan import Scan
from napari_bonescint.segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.batch.job import Job, Settings

    Jobs = Callable[[int], list[Job]]


def carry_out(job: Job, settings: Settings) -> Outcome:
    scan = read(job, settings)
    if isinstance(scan, Outcome):
        return scan
    assert isinstance(scan, Scan)
    segmenter = load(settings)
    segmentation = compute(job, scan, lambda: segmenter, lambda _fraction: None)
    assert isinstance(segmentation, Segmentation)
    return write(job, scan, segmentation, settings)


def test_what_a_first_attempt_of_a_run_has_finished_a_second_does_not_do_again(jobs: Jobs, settings: Settings) -> None:
    (job,) = jobs(1)
    settings = replace(settings, overwrite=True)
    first = carry_out(job, settings)
    assert first.kind == "segmented"
    before = job.result.facts.stat()
    assert read(job, settings) == first
    assert job.result.facts.stat() == before
    assert isinstance(read(job, replace(settings, run="another")), Scan)
    kept = read(job, replace(settings, run="another", overwrite=False))
    assert isinstance(kept, Outcome)
    assert kept.kind == "kept"


def test_jobs_settings_and_outcomes_can_be_sent(jobs: Jobs, settings: Settings) -> None:
    (job,) = jobs(1)
    for thing in (job, settings, carry_out(job, settings)):
        assert pickle.loads(pickle.dumps(thing)) == thing  # noqa: S301 - our own


def test_what_nobody_foresaw_in_one_scan_is_its_own_failure(jobs: Jobs, settings: Settings) -> None:
    (job,) = jobs(1)
    nameless = replace(job, source=ScanSource((), job.source.result))
    outcome = read(nameless, settings)
    assert isinstance(outcome, Outcome)
    assert outcome.kind == "failed"
    assert outcome.complaints[0].startswith("error: : could not be segmented (")


def test_a_model_that_cannot_be_loaded_is_nobodys_own_failure(jobs: Jobs, settings: Settings) -> None:
    (job,) = jobs(1)
    scan = read(job, settings)
    assert isinstance(scan, Scan)
    settings.card.weights_path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        compute(job, scan, lambda: load(settings), lambda _fraction: None)


def test_where_a_model_runs_is_described(settings: Settings) -> None:
    assert describe(load(settings)) == "Model tiny. CPU: chosen by the user."
