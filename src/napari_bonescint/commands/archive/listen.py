"""`bonescint archive listen`: receive what is sent, and work on it if wanted."""

from __future__ import annotations

import argparse
import math
import signal
import threading
from typing import TYPE_CHECKING

from napari_bonescint.archive.opening import open_archive
from napari_bonescint.archive.receiving.inbox import Inbox, Limits
from napari_bonescint.archive.records import Received
from napari_bonescint.archive.setup.setups_file import find_setup
from napari_bonescint.archive.station.making import ScanResults
from napari_bonescint.archive.station.station import Station
from napari_bonescint.commands import argument_types
from napari_bonescint.commands.archive.shared import add_action, print_json
from napari_bonescint.commands.measuring_arguments import hot_spot_model
from napari_bonescint.commands.terminal import print_error, print_line
from napari_bonescint.text.formatting import DISCLAIMER

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_bonescint.archive.receiving.receiver import Refused

_DESCRIPTION = """\
Receive images that an archive or a workstation sends, until Ctrl-C, in the folder DIR. Only the AE titles that the
set-up allows may send, and only to the address and port that it names; with TLS alone, if the set-up says so.

With --segment, each scan is segmented once nothing more of its study came for some seconds; with --measure it is also
measured. --send-back returns the results to ARCHIVE or another archive, and then deletes the scan from DIR; without it,
scan and results stay in DIR/results. What cannot be worked on is kept in DIR/failed with the reason. Killed and started
again, the station goes on where it was; each scan gives its results once.
"""


def add_to(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the action."""
    parser = add_action(
        actions,
        run,
        "listen",
        "receive what is sent, and work on it",
        "bonescint archive listen ward --out station --segment --measure --send-back pacs",
        _DESCRIPTION,
    )
    argument_types.add_out_to(parser, "folder for what is received, which only you can read")
    parser.add_argument("--segment", action="store_true", help="segment the scans that arrive")
    parser.add_argument("--measure", action="store_true", help="measure them, too; implies --segment")
    parser.add_argument(
        "--send-back", metavar="NAME", nargs="?", const="", help="return results to this archive (default: ARCHIVE)"
    )
    parser.add_argument(
        "--settle", metavar="SECONDS", type=_seconds, default=10.0, help="time until a study is whole (default: 10)"
    )
    argument_types.add_current_model_to(parser, "--model", "a name from `bonescint models`, or a .safetensors file")
    argument_types.add_device_to(parser)
    parser.set_defaults(fail=parser.error)


def run(arguments: argparse.Namespace) -> int:
    """Receive until Ctrl-C; returns the exit status."""
    if arguments.send_back is not None and not (arguments.segment or arguments.measure):
        arguments.fail("--send-back needs --segment or --measure")
    tell = _teller(arguments)
    over = threading.Event()
    # A system that shuts down sends this signal; what is being worked on is finished at the next start.
    before = signal.signal(signal.SIGTERM, lambda *_: over.set())
    try:
        if arguments.segment or arguments.measure:
            _work(arguments, over, tell)
        else:
            inbox = Inbox(arguments.out, arguments.archive, Limits(10**9, 2**60))
            _listen(arguments, inbox.take, lambda: over.wait(), tell)
    except KeyboardInterrupt:
        tell("Interrupted.")
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def _work(arguments: argparse.Namespace, over: threading.Event, tell: Callable[[str], object]) -> None:
    hot_spots = hot_spot_model() if arguments.measure else None
    make = ScanResults(arguments.model, arguments.device, arguments.measure, hot_spots)
    back = None
    if arguments.send_back is not None:
        back = open_archive(find_setup(arguments.send_back or arguments.archive))
    try:
        station = Station(arguments.out, arguments.archive, make, back, tell, settle_seconds=arguments.settle)
        with station.alone():
            tell(station.describe())
            tell(f"{DISCLAIMER}: check every result by eye.")
            _listen(arguments, station.receive, lambda: station.run(over.is_set), tell)
    finally:
        if back is not None:
            back.close()


def _listen(
    arguments: argparse.Namespace,
    take: Callable[[bytes], Received],
    work: Callable[[], object],
    tell: Callable[[str], object],
) -> None:
    """Receive while work goes on."""
    setup = find_setup(arguments.archive)
    # Imported here, since it is part of the extra; `open_archive` says so if it is missing.
    open_archive(setup)
    from napari_bonescint.archive.receiving.receiver import Receiver

    def happened(event: Received | Refused) -> None:
        if not isinstance(event, Received):
            tell(f"error: {event.sentence}")
        elif arguments.json:
            print_json({"event": "received", "new": event.is_new})
        elif event.is_new:
            tell("An image was received.")

    receiver = Receiver(setup, take, happened)
    receiver.start()
    try:
        tell(setup.listening)
        work()
    finally:
        receiver.stop()


def _teller(arguments: argparse.Namespace) -> Callable[[str], object]:
    def tell(sentence: str) -> None:
        is_error = sentence.startswith("error: ")
        if arguments.json:
            print_json({"event": "error" if is_error else "note", "text": sentence.removeprefix("error: ")})
        elif is_error:
            print_error(sentence)
        else:
            print_line(sentence)

    return tell


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no time in seconds, such as 10")
    return number
