"""Segmenting on a Dask cluster: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dicom_files import some_counts
from napari_bonescint.batch.cluster import work_on_cluster
from napari_bonescint.batch.cluster_worker import ClusterError
from running import Running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from napari_bonescint.inference.model_card import ModelCard

SCANS = 30
PATIENCE = 300


class Server:
    """A process of a cluster, which says in its log when it is there."""

    def __init__(self, what: str, there: str, *arguments: str, folder: Path, before: str = "") -> None:
        words = [sys.executable, "-c", f"{before}from distributed.cli.dask_{what} import main; main()", *arguments]
        self.process = subprocess.Popen(
            [*words, "--host", "127.0.0.1", "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=folder,
        )
        self.log: list[str] = []
        self._there = threading.Event()
        self._listener = threading.Thread(target=self._listen, args=(there,))
        self._listener.start()
        self._there.wait(PATIENCE)
        assert any(there in line for line in self.log), "".join(self.log)

    def _listen(self, there: str) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if there in line:
                self._there.set()
        self._there.set()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._listener.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


WITHOUT = "import sys; sys.modules['napari_bonescint'] = None; "


class Cluster:
    """A scheduler with workers, of which any may lack this package."""

    def __init__(
        self, folder: Path, workers: int, *, scheduler_has_it: bool = True, workers_have_it: bool = True
    ) -> None:
        self._folder = folder
        self._before = "" if workers_have_it else WITHOUT
        before = "" if scheduler_has_it else WITHOUT
        self.scheduler = Server("scheduler", "Scheduler at:", "--port", "0", folder=folder, before=before)
        (said,) = [line for line in self.scheduler.log if "Scheduler at:" in line]
        self.address = said.split()[-1]
        self.workers: list[Server] = []
        for _ in range(workers):
            self.join()

    def join(self) -> None:
        """Another worker joins."""
        # Without a nanny, which would start another worker in the place of one that is killed.
        arguments = (self.address, "--no-nanny", "--nthreads", "2")
        self.workers.append(Server("worker", "Registered to:", *arguments, folder=self._folder, before=self._before))

    def end(self) -> None:
        for server in (self.scheduler, *self.workers):
            server.kill()

    @property
    def log(self) -> str:
        return "".join("".join(server.log) for server in (self.scheduler, *self.workers))


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With one worker; starting another takes as long as a test."""
    made = Cluster(tmp_path_factory.mktemp("cluster"), workers=1)
    yield made
    made.end()


@pytest.fixture
def archive(write_nm: Callable[..., Path], tmp_path: Path) -> Path:
    for number in range(SCANS):
        write_nm(f"Miller/{number:02}.dcm", counts=some_counts(2, rows=512, columns=128) + number)
    return tmp_path / "Miller"


@pytest.fixture
def words(archive: Path, make_model: Callable[..., ModelCard], tmp_path: Path) -> list[str | Path]:
    model = make_model().weights_path
    return ["segment", archive, "--out", tmp_path / "out", "--model", model, "--device", "cpu"]


def test_nothing_is_lost_and_nothing_done_twice_when_a_worker_and_the_command_are_killed(
    cluster: Cluster, words: list[str | Path], tmp_path: Path
) -> None:
    words = [*words, "--scheduler", cluster.address]
    cluster.join()
    (tmp_path / "out").mkdir()
    left, fresh = (tmp_path / "out" / f".bonescint-run-{name}" for name in ("left", "fresh"))
    left.touch()
    fresh.touch()
    os.utime(left, (0, 0))
    with Running(words) as first:
        first.read_until_segmented(SCANS // 3)
        assert not left.exists()
        assert fresh.exists()
        first.kill()
    with Running(words) as second:
        second.read_until_segmented(SCANS // 3)
        done = {name: (tmp_path / "out" / f"{name}.json").stat() for name in second.segmented}
        cluster.workers[0].kill()
        status = second.finish()
    assert status == 0, "\n".join(second.complaints)
    assert second.complaints == []
    names = [f"{number:02}" for number in range(SCANS)]
    assert sorted([*second.segmented, *second.kept]) == names
    assert len(second.kept) >= SCANS // 3
    assert second.lines[-2] == f"{len(second.segmented)} segmented, {len(second.kept)} kept, 0 failed."
    assert second.lines.count("Model tiny. CPU: chosen by the user.") == 1
    for name, stat in done.items():
        now = (tmp_path / "out" / f"{name}.json").stat()
        assert (now.st_ino, now.st_mtime_ns) == (stat.st_ino, stat.st_mtime_ns)
    there = {path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".bonescint-")}
    assert there == {f"{name}.{kind}" for name in names for kind in ("json", "skeleton.tif", "regions.tif")}
    # The other worker measures with these masks.
    with Running(["measure", *words[1:], "--table", tmp_path / "all.csv"]) as third:
        status = third.finish()
    assert third.lines[-2] == f"{SCANS} measured, 0 kept, 0 failed.", "\n".join(third.complaints)
    assert status == 0
    assert len((tmp_path / "all.csv").read_text(encoding="utf-8").splitlines()) == SCANS + 1
    assert "Miller" not in cluster.log


def test_a_lost_scheduler_is_one_sentence_and_the_next_run_goes_on(cluster: Cluster, words: list[str | Path]) -> None:
    with Running([*words, "--scheduler", cluster.address]) as first:
        first.read_until_segmented(3)
        cluster.scheduler.kill()
        status = first.finish()
    assert status == 1
    assert len(first.complaints) == 1, "\n".join(first.complaints)
    assert first.complaints[0].startswith(
        f"bonescint: The connection to the Dask scheduler at {cluster.address} is lost; start the scheduler and"
    )
    with Running(words) as second:
        assert second.finish() == 0
    assert len(second.kept) >= 3
    assert len(second.kept) + len(second.segmented) == SCANS


@pytest.mark.parametrize("joins", ["before", "while it runs"])
def test_a_worker_without_napari_bonescint_is_one_sentence_and_logs_no_names(
    words: list[str | Path], tmp_path: Path, joins: str
) -> None:
    cluster = Cluster(tmp_path, workers=joins == "before", workers_have_it=False)
    try:
        with Running([*words, "--scheduler", cluster.address]) as running:
            if joins == "while it runs":
                running.read_until("Waiting for workers")
                cluster.join()
            assert running.finish() == 1
    finally:
        cluster.end()
    (complaint,) = running.complaints
    told = {
        "before": "bonescint: The Dask worker at tcp://127.0.0.1:",
        "while it runs": f"bonescint: The Dask cluster at {cluster.address} cannot start a job (ModuleNotFoundError",
    }
    assert complaint.startswith(told[joins])
    assert "napari-bonescint" in complaint
    assert "Miller" not in cluster.log


def test_a_scheduler_needs_no_napari_bonescint(archive: Path, words: list[str | Path], tmp_path: Path) -> None:
    for path in sorted(archive.iterdir())[3:]:
        path.unlink()
    cluster = Cluster(tmp_path, workers=1, scheduler_has_it=False)
    try:
        with Running([*words, "--scheduler", cluster.address]) as running:
            assert running.finish() == 0
    finally:
        cluster.end()
    assert len(running.segmented) == 3


def test_what_is_no_scheduler_is_one_sentence(cluster: Cluster) -> None:
    (worker,) = [line.split()[-1] for line in cluster.workers[0].log if "Start worker at:" in line]
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as other:
        # A web server's answer, and one that says nothing; both take connections without being asked for each.
        threading.Thread(target=_answer_once, args=(other,)).start()
        for address, why in (
            (worker, "it is the address of a worker"),
            (f"tcp://127.0.0.1:{silent.getsockname()[1]}", "no answer within 5 seconds"),
            (f"tcp://127.0.0.1:{other.getsockname()[1]}", ""),
            ("127.0.0.1:99999", ""),
            ("no scheduler", ""),
            ("http://127.0.0.1:1", ""),
        ):
            with pytest.raises(ClusterError) as refused:
                work_on_cluster([], None, None, address, Path())  # type: ignore[arg-type]
            start = f"There is no Dask scheduler at {address} ({why}"
            assert str(refused.value).startswith(start)
            assert str(refused.value).endswith(").")


def _answer_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        connection.recv(1024)


def test_a_scheduler_that_is_not_there_is_one_sentence(words: list[str | Path], tmp_path: Path) -> None:
    with Running([*words, "--scheduler", "tcp://127.0.0.1:1"]) as running:
        assert running.finish() == 1
    (complaint,) = running.complaints
    assert complaint.startswith("bonescint: There is no Dask scheduler at tcp://127.0.0.1:1 (")
    assert not (tmp_path / "out").exists()
