"""`bonescint archive add`: set an archive up, with its secrets from the terminal."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind, Login
from napari_bonescint.archive.setup.credentials import (
    Secret,
    find_secret,
    in_words,
    keep_secret,
    needed_secrets,
    variable,
)
from napari_bonescint.archive.setup.setups_file import as_entry, keep_setup, read_setups
from napari_bonescint.commands.archive.shared import add_named_action, print_json
from napari_bonescint.commands.terminal import print_error

if TYPE_CHECKING:
    import argparse

    from napari_bonescint.archive.setup.credentials import SecretKind

_DESCRIPTION = """\
Set an archive up under NAME. A password, a token or the password of a key is never an argument: it is asked for on the
terminal and kept in the system's keyring, or taken from the environment: BONESCINT_ARCHIVE_<NAME>_PASSWORD, ..._TOKEN,
..._KEY_PASSWORD. `bonescint archive test NAME` tries the connection.
"""

_EXAMPLES = """\
examples:
  bonescint archive add pacs --kind dicomweb --url https://pacs.example/dicom-web --login basic --user bonescint
  bonescint archive add ward --kind receiver --address 10.0.0.20 --own-port 11112 --allow WORKSTATION1
  bonescint archive add old --kind query-retrieve --host 10.0.0.7 --port 104 --title PACS"""

_WEB = {Kind.DICOMWEB}
_RECEIVER = {Kind.RECEIVER}
_DIMSE = {Kind.RECEIVER, Kind.QUERY_RETRIEVE}
_ALL = set(Kind)

_FILES = ("authority", "certificate", "key", "sender_authority")


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    parser = add_named_action(actions, run, "add", "set an archive up", _EXAMPLES, _DESCRIPTION)
    parser.add_argument("archive", metavar="NAME", help="your name for the archive")
    parser.add_argument("--kind", choices=[str(kind) for kind in Kind], required=True, help="how it is spoken with")
    parser.add_argument("--replace", action="store_true", help="replace the archive of this name")
    optional = parser.add_argument
    optional("--url", metavar="URL", help="address of the DICOMweb service")
    optional("--login", choices=[str(login) for login in Login], help="how DICOMweb knows its users (default: none)")
    optional("--user", metavar="NAME", help="user for the basic login")
    optional("--host", metavar="HOST", help="name or number of the archive's computer")
    optional("--port", metavar="PORT", type=int, help="its port")
    optional("--title", metavar="TITLE", help="its AE title")
    optional("--tls", action="store_true", default=None, help="use TLS to the archive")
    optional("--own-title", metavar="TITLE", help="AE title of this computer (default: BONESCINT)")
    optional("--address", metavar="ADDRESS", help="address of this computer where it listens (default: 127.0.0.1)")
    optional("--own-port", metavar="PORT", type=int, help="port of this computer where it listens")
    optional("--own-tls", action="store_true", default=None, help="take images by TLS alone; needs a certificate")
    optional("--sender-authority", metavar="FILE", help="PEM file; senders must show a certificate of this authority")
    optional(
        "--allow",
        metavar="TITLE",
        nargs="+",
        dest="allowed_titles",
        help="AE titles that may send here (default: the archive's)",
    )
    optional("--authority", metavar="FILE", help="PEM file of the authority to trust in place of the system's")
    optional("--certificate", metavar="FILE", help="PEM file of this computer's certificate")
    optional("--key", metavar="FILE", help="PEM file of its key")
    optional("--answer-seconds", metavar="SECONDS", type=float, help="longest wait for an answer (default: 8)")
    parser.set_defaults(fail=parser.error)


_KINDS = {
    **dict.fromkeys(("url", "login", "user"), _WEB),
    **dict.fromkeys(("host", "port", "title", "tls", "own_title", "address", "own_port"), _DIMSE),
    **dict.fromkeys(("own_tls", "sender_authority"), _DIMSE),
    "allowed_titles": _RECEIVER,
    **dict.fromkeys(("authority", "certificate", "key", "answer_seconds"), _ALL),
}
"""Kinds that have an entry."""


def run(arguments: argparse.Namespace) -> int:
    """Set an archive up; returns the exit status."""
    setup = _setup(arguments)
    if not arguments.replace and any(each.name == setup.name for each in read_setups()):
        raise ArchiveError(f"An archive is called {setup.name!r} already; choose another name, or give --replace.")
    keep_setup(setup)
    if arguments.json:
        print_json(as_entry(setup))
    else:
        print(f"{setup.name} is set up.")
    troubles = [trouble for kind in needed_secrets(setup) if (trouble := _get_secret(setup, kind))]
    for trouble in troubles:
        print_error(f"error: {trouble}")
    return 1 if troubles else 0


def _setup(arguments: argparse.Namespace) -> ArchiveSetup:
    kind = Kind(arguments.kind)
    given = {name: getattr(arguments, name) for name in _KINDS if getattr(arguments, name) is not None}
    for name in given:
        if kind not in _KINDS[name]:
            option = "allow" if name == "allowed_titles" else name.replace("_", "-")
            arguments.fail(f"--{option} is no entry of an archive of the kind {kind}")
    if "login" in given:
        given["login"] = Login(given["login"])
    if "allowed_titles" in given:
        given["allowed_titles"] = tuple(given["allowed_titles"])
    # A service runs in another folder.
    given |= {name: str(Path(given[name]).absolute()) for name in _FILES if given.get(name)}
    return ArchiveSetup(arguments.archive, kind, **given)


def _get_secret(setup: ArchiveSetup, kind: SecretKind) -> str:
    """Ask for a secret that the environment does not have; returns one sentence if there is none, or an empty text."""
    name = variable(setup.name, kind)
    if name in os.environ:
        return ""
    try:
        if sys.stdin.isatty():
            typed = getpass(f"{setup.name}: type the {in_words(kind)} (it is not shown): ")
            if typed:
                keep_secret(setup, kind, Secret(typed))
                return ""
        if find_secret(setup, kind) is not None:
            return ""
    except ArchiveError as error:
        return str(error)
    remedy = f"run this on a terminal, or set the environment variable {name}"
    return f"{setup.name}: the {in_words(kind)} is not known; {remedy}."
