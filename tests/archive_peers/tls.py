"""TLS before a server, by stunnel, as hospitals set it up; Debian's Orthanc ends when it speaks TLS itself."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def tls_before(
    port: int, tls_port: int, certificates: Path, folder: Path, *, wants_client: bool = False
) -> Iterator[None]:
    """Take TLS connections for a port of this computer, perhaps only with a certificate of the tests' authority."""
    settings = folder / f"stunnel-{tls_port}.conf"
    log = folder / f"stunnel-{tls_port}.log"
    client = f"verifyChain = yes\nCAfile = {certificates / 'authority.pem'}\n" if wants_client else ""
    settings.write_text(
        f"foreground = yes\npid =\noutput = {log}\n"
        f"[server]\naccept = 127.0.0.1:{tls_port}\nconnect = 127.0.0.1:{port}\ncert = {certificates / 'both.pem'}\n"
        + client
    )
    process = subprocess.Popen(["stunnel4", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while not (log.exists() and "Configuration successful" in log.read_text()):
            assert process.poll() is None, log.read_text() if log.exists() else "stunnel does not start"
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)
