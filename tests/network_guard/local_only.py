"""No Python code in this process connects to, sends to or looks up anything but this computer itself.

An attempt fails as it does without a network, and is written to the file that the environment variable names: code that
hides the failure is found out all the same. Processes that are started from here do likewise (`sitecustomize`).
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import sys
from pathlib import Path

RECORD_VARIABLE = "BONESCINT_NETWORK_RECORD"
"""Names the file that gets a JSON line for each attempt: what, by which process, and its innermost calls."""

PORTS_VARIABLE = "BONESCINT_NETWORK_PORTS"
"""Holds the only ports of this computer that may be connected to, separated by commas; without it, all may."""

_DOMAIN_NAMES = 53
"""Whoever asks this port looks up a name, also where the server for names runs on this computer."""
_CALLS = 12

_LOOK_UPS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_DESTINATIONS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_WATCHED = frozenset({*_LOOK_UPS, *_DESTINATIONS, "socket.getnameinfo"})
_installed = False


def install() -> None:
    """Begin; there is no end."""
    global _installed
    if not _installed:
        _installed = True
        sys.addaudithook(_audit)


def environment(record: Path) -> dict[str, str]:
    """What the environment of a Python process holds so that it does likewise, besides what it holds already."""
    here = str(Path(__file__).parent)
    others = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder and folder != here]
    return {RECORD_VARIABLE: str(record), "PYTHONPATH": os.pathsep.join([here, *others])}


def is_this_computer(host: object) -> bool:
    """Whether a name or number means this computer, without asking anyone."""
    if isinstance(host, (bytes, bytearray)):
        host = host.decode(errors="replace")
    if host is None or host in ("", "localhost"):
        return True
    address = _address(str(host))
    if address is None:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    # A connection to the unspecified address goes to this computer.
    return address.is_loopback or address.is_unspecified


def _may_be_connected_to(port: object) -> bool:
    only = os.environ.get(PORTS_VARIABLE)
    return only is None or str(port) in only.split(",")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    # Python tells of each id() and each import, too: this is the quickest way to leave.
    if event not in _WATCHED:
        return
    if event in _DESTINATIONS:
        endpoint, address = arguments[0], arguments[1]
        family = getattr(endpoint, "family", None)
        if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
            return  # a socket of this computer, or no new destination
        if not is_this_computer(address[0]) or address[1] == _DOMAIN_NAMES or not _may_be_connected_to(address[1]):
            _refuse(event, f"{address[0]} port {address[1]}")
    elif event in _LOOK_UPS:
        # A number needs no look-up, but for the name that belongs to it.
        is_number = event != "socket.gethostbyaddr" and _address(str(arguments[0])) is not None
        if not is_number and not is_this_computer(arguments[0]):
            _refuse(event, str(arguments[0]))
    elif event == "socket.getnameinfo" and not is_this_computer(arguments[0][0]):
        _refuse(event, str(arguments[0]))


def _refuse(event: str, whom: str) -> None:
    calls, frame = [], sys._getframe(2)
    while frame is not None and len(calls) < _CALLS:
        calls.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back
    what = {"what": f"{event} {whom}", "process": [str(os.getpid()), *sys.orig_argv], "calls": calls}
    if record := os.environ.get(RECORD_VARIABLE):
        # One write, so that lines of several processes do not mix.
        descriptor = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, (json.dumps(what) + "\n").encode())
        finally:
            os.close(descriptor)
    raise OSError(101, f"tests let nothing leave this computer ({what['what']})")
