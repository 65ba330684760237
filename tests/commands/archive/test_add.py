"""Archives that are set up, listed and removed on the command line, with secrets typed on a real terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import keyring
import pytest
from keyring.backends.fail import Keyring as NoBackend

from napari_bonescint.archive.sending.outbox import Outbox
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from napari_bonescint.archive.setup.setups_file import find_setup, setups_file
from napari_bonescint.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., tuple[int, str, str]]

WEB = ("add", "pacs", "--kind", "dicomweb", "--url", "https://pacs.example/dicom-web")
BASIC = (*WEB, "--login", "basic", "--user", "me")
WARD = ("add", "ward", "--kind", "receiver", "--own-port", "11112", "--allow", "WS1", "WS2")
OLD = ("add", "old", "--kind", "query-retrieve", "--host", "10.0.0.7", "--port", "104", "--title", "PACS", "--tls")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        status = main(["archive", *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def _no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(NoBackend())
    yield
    keyring.set_keyring(before)


def test_archives_are_added_listed_and_removed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("list") == (0, f"No archive is set up in {setups_file()}.\n", "")
    monkeypatch.chdir(tmp_path)
    Path("ca.pem").write_text("authority")
    assert run(*WEB, "--authority", "ca.pem") == (0, "pacs is set up.\n", "")
    assert run(*WARD)[0] == 0
    status, out, _ = run(*OLD, "--json")
    entry = {"name": "old", "kind": "query-retrieve", "host": "10.0.0.7", "port": 104, "title": "PACS", "tls": True}
    assert (status, json.loads(out)) == (0, entry)
    assert find_setup("pacs").authority == str(tmp_path / "ca.pem")
    assert find_setup("ward") == ArchiveSetup("ward", Kind.RECEIVER, own_port=11112, allowed_titles=("WS1", "WS2"))

    _, out, _ = run("list")
    assert [line.split(None, 2) for line in out.splitlines()] == [
        ["NAME", "KIND", "ARCHIVE                             RECEIVES"],
        ["pacs", "dicomweb", "https://pacs.example/dicom-web"],
        ["ward", "receiver", "BONESCINT at 127.0.0.1 port 11112 from WS1, WS2"],
        ["old", "query-retrieve", "PACS at 10.0.0.7 port 104 with TLS"],
    ]
    Path("ca.pem").unlink()
    status, out, err = run("list", "--json")
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["pacs", "ward", "old"]
    assert err == "warning: pacs: the certificate file ca.pem does not exist; check its path.\n"

    Outbox().put("old", [], "parcel")
    assert run("remove", "old") == (
        0, "old is removed.\n", "warning: results of 1 scan still wait to be sent to old.\n",
    )  # fmt: skip
    assert run("remove", "pacs", "--json")[1] == '{"removed": "pacs"}\n'
    assert run("remove", "pacs") == (1, "", f"bonescint: No archive is called 'pacs'; {setups_file()} has: ward.\n")


def test_what_is_wrong_is_told_and_nothing_is_kept(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*WEB[:4]) == (
        1,
        "",
        "bonescint: pacs: the address must be like https://pacs.example/dicom-web; change it.\n",
    )
    assert "receiving with TLS needs this computer's certificate" in run(*WARD, "--own-tls")[2]
    for words, said in (
        ((*WARD, "--url", "https://pacs.example"), "--url is no entry of an archive of the kind receiver"),
        ((*OLD, "--allow", "WS1"), "--allow is no entry of an archive of the kind query-retrieve"),
        ((*WEB, "--password", "s3cret-word"), "unrecognized arguments"),
    ):
        with pytest.raises(SystemExit):
            main(["archive", *words])
        assert said in capsys.readouterr().err
    assert not setups_file().exists()
    assert run(*WEB)[0] == 0
    assert "is called 'pacs' already; choose another name, or give --replace" in run(*WEB)[2]
    assert run(*WEB, "--answer-seconds", "20", "--replace")[0] == 0
    assert find_setup("pacs").answer_seconds == 20


@pytest.mark.usefixtures("_no_keyring")
def test_without_keyring_and_terminal_the_environment_is_named_and_used(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, err = run(*BASIC)
    assert (status, out) == (1, "pacs is set up.\n")
    assert err == (
        "error: pacs: the password is not known; run this on a terminal, or set the environment variable "
        "BONESCINT_ARCHIVE_PACS_PASSWORD.\n"
    )
    assert find_setup("pacs").login is Login.BASIC
    monkeypatch.setenv("BONESCINT_ARCHIVE_PACS_PASSWORD", "s3cret-word")
    assert run(*BASIC, "--replace") == (0, "pacs is set up.\n", "")
    assert run("remove", "pacs") == (0, "pacs is removed.\n", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such terminals")
def test_a_password_is_typed_unseen_and_lies_in_the_keyring_alone(tmp_path: Path, run: Run) -> None:
    import pty

    kept = tmp_path / "keyring.json"
    tests = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "archive_peers.file_keyring.FileKeyring"}
    environment |= {
        "KEYRING_OF_TESTS": str(kept),
        "PYTHONPATH": f"{tests}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    mine, theirs = pty.openpty()

    def begin(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "napari_bonescint", "archive", *words],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            text=True,
        )

    process = begin(*BASIC)
    shown = b""
    while b"(it is not shown): " not in shown:
        shown += os.read(mine, 1000)
    os.write(mine, b"s3cret-word\n")
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "pacs is set up.\n")
    assert shown.decode() == "pacs: type the password (it is not shown): "
    assert json.loads(kept.read_text()) == {"napari-bonescint pacs/password": "s3cret-word"}
    assert b"s3cret-word" not in setups_file().read_bytes()
    assert begin("remove", "pacs").communicate(timeout=60)[0] == "pacs is removed.\n"
    assert json.loads(kept.read_text()) == {}
    assert os.read(mine, 1000) == b"\r\n"
    os.close(mine)
    os.close(theirs)
    assert run("list")[1].startswith("No archive is set up")
