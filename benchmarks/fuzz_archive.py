"""Damaged associations, sent to the receiver and to those who ask an archive: no traceback, no leak, always an end.

    python benchmarks/fuzz_archive.py --count 1000

An association that stores a small object is recorded in both directions. Copies are changed (bits, lengths, parts cut
out or repeated, random bytes) and played to the receiver of this package, and to its C-STORE. Afterwards the number of
threads and of open files, and the memory, must be what they were after the first tenth.
"""

from __future__ import annotations

import argparse
import gc
import io
import logging
import random
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import psutil
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SegmentationStorage, generate_uid

from napari_bonescint.archive.errors import ArchiveError
from napari_bonescint.archive.opening import open_archive
from napari_bonescint.archive.receiving.inbox import Inbox, Limits
from napari_bonescint.archive.receiving.receiver import Receiver
from napari_bonescint.archive.sending.outgoing import Outgoing
from napari_bonescint.archive.setup.archive_setup import ArchiveSetup, Kind

_WORKERS = 8
_MOST_SECONDS = 10.0
_MOST_MORE_MB = 40.0


def main() -> int:
    """Fuzz, print what happened, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="number of associations")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    noise = io.StringIO()
    handler = logging.StreamHandler(noise)
    logging.getLogger().addHandler(handler)
    threading.excepthook = lambda args: print("thread:", args.exc_type.__name__, args.exc_value, file=noise)
    with TemporaryDirectory() as folder, redirect_stderr(noise):
        wrong = _fuzz(arguments.count, random.Random(arguments.seed), Path(folder))  # noqa: S311
    if noise.getvalue():
        wrong.append(f"something was written to standard error or a log: {noise.getvalue()[:2000]}")
    for sentence in wrong:
        print(sentence)
    print("nothing wrong" if not wrong else f"{len(wrong)} things wrong")
    return 1 if wrong else 0


def _fuzz(count: int, chance: random.Random, folder: Path) -> list[str]:
    wrong: list[str] = []
    port = _free_port()
    setup = ArchiveSetup(
        "fuzzed", Kind.RECEIVER, host="127.0.0.1", port=port, title="BONESCINT", own_title="BONESCINT", own_port=port,
        answer_seconds=1.0,
    )  # fmt: skip
    events: list[object] = []
    receiver = Receiver(setup, Inbox(folder / "in", "fuzzed", Limits(10**9, 2**50)).take, events.append)
    receiver.start()
    sent = _an_object()
    asked, answered = _record(setup, sent)
    tenth = count // 10
    before = None
    with ThreadPoolExecutor(_WORKERS) as pool:
        for at in range(0, count, tenth):
            turns = [
                pool.submit(_to_receiver, port, _changed(asked, chance))
                if number % 2
                else pool.submit(_to_asker, _changed(answered, chance), sent)
                for number in range(at, min(count, at + tenth))
            ]
            slow = [seconds for turn in turns if (seconds := turn.result()) > _MOST_SECONDS]
            wrong += [f"one association took {seconds:.0f} s" for seconds in slow]
            state = _settled()
            before = before or state
            print(f"{at + len(turns)}: {len(events)} objects, {_shown(state)}", file=sys.__stdout__, flush=True)
    after = _settled()
    receiver.stop()
    if after[0] > before[0] + 2 or after[1] > before[1] + 4:
        wrong.append(f"threads or files were left: {_shown(before)}, then {_shown(after)}")
    if after[2] > before[2] + _MOST_MORE_MB:
        wrong.append(f"memory was left: {_shown(before)}, then {_shown(after)}")
    return wrong


def _settled() -> tuple[int, int, float]:
    """Threads, open files and memory in MB, once what ended has gone."""
    process = psutil.Process()
    until = time.monotonic() + 15
    while time.monotonic() < until and any("AcceptorThread" in each.name for each in threading.enumerate()):
        time.sleep(0.1)
    gc.collect()
    return threading.active_count(), process.num_fds(), process.memory_info().rss / 2**20


def _shown(state: tuple[int, int, float]) -> str:
    return f"{state[0]} threads, {state[1]} open files, {state[2]:.0f} MB"


def _to_receiver(port: int, content: bytes) -> float:
    """Play the bytes of one who asks, part by part; returns the seconds until the receiver had enough."""
    began = time.monotonic()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.settimeout(0.5)
        for part in _parts(content):
            peer.sendall(part)
            # Who asks waits for the association, and for the answer to each object.
            if part[:1] != b"\x04":
                peer.recv(2**16)
        while peer.recv(2**16):
            pass
    return time.monotonic() - began


def _to_asker(content: bytes, sent: Outgoing) -> float:
    """Play the bytes of an archive to our own C-STORE; returns the seconds that it took."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    peer, _ = server.accept()
                    with peer:
                        peer.settimeout(1)
                        for part in _parts(content):
                            peer.recv(2**16)
                            peer.sendall(part)
                        while peer.recv(2**16):
                            pass

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        archive = open_archive(
            ArchiveSetup(
                "asked",
                Kind.RECEIVER,
                host="127.0.0.1",
                port=server.getsockname()[1],
                title="BONESCINT",
                own_port=1,
                answer_seconds=1.0,
            )
        )
        began = time.monotonic()
        with suppress(ArchiveError):
            archive.send([sent])
        seconds = time.monotonic() - began
        over.set()
        server.close()
        serving.join(10)
    return seconds


def _changed(content: bytes, chance: random.Random) -> bytes:
    """A copy with some damage: in its first part, in the others, or anywhere."""
    first = 6 + int.from_bytes(content[2:6], "big")
    where = chance.choice([(0, first), (first, len(content)), (0, len(content))])
    return content[: where[0]] + _damaged(bytearray(content[slice(*where)]), chance) + content[where[1] :]


def _damaged(made: bytearray, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(made) or 1)
        kind = chance.randrange(7)
        if kind <= 1 and made:
            made[at % len(made)] ^= 1 << chance.randrange(8)
        elif kind == 2:
            del made[at:]
        elif kind == 3:
            made[at:at] = chance.randbytes(chance.randint(1, 64))
        elif kind == 4:
            made[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
        elif kind == 5:
            del made[at : at + chance.randint(1, 200)]
        else:
            made += made[at : at + 300]
    return bytes(made)


def _parts(content: bytes) -> list[bytes]:
    """The PDUs in a record of one direction, as far as their lengths make sense."""
    found = []
    while len(content) > 6 and len(found) < 20:
        length = 6 + int.from_bytes(content[2:6], "big")
        found.append(content[:length])
        content = content[length:]
    return [*found, content]


def _record(setup: ArchiveSetup, sent: Outgoing) -> tuple[bytes, bytes]:
    """The bytes of a whole association, in both directions."""
    asked, answered = bytearray(), bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def relay() -> None:
            peer, _ = server.accept()
            with peer, socket.create_connection(setup.endpoint) as target:

                def copy(source: socket.socket, sink: socket.socket, record: bytearray) -> None:
                    with suppress(OSError):
                        while piece := source.recv(2**16):
                            record.extend(piece)
                            sink.sendall(piece)
                        sink.shutdown(socket.SHUT_WR)

                back = threading.Thread(target=copy, args=(target, peer, answered))
                back.start()
                copy(peer, target, asked)
                back.join()

        relaying = threading.Thread(target=relay)
        relaying.start()
        through = ArchiveSetup(
            "relay", Kind.RECEIVER, host="127.0.0.1", port=server.getsockname()[1], title="BONESCINT", own_port=1
        )
        (answer,) = open_archive(through).send([sent])
        relaying.join()
    if not answer.is_kept:
        raise SystemExit(f"the undamaged association failed: {answer.text}")
    return bytes(asked), bytes(answered)


def _an_object() -> Outgoing:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SegmentationStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.PatientID, dataset.PatientName = "1", "Fuzz"
    dataset.Rows = dataset.Columns = 16
    dataset.PixelData = np.zeros(32, np.uint8).tobytes()
    dataset["PixelData"].VR = "OB"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    uids = (str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID), str(dataset.SOPInstanceUID))
    return Outgoing(buffer.getvalue(), *uids, str(SegmentationStorage), str(ExplicitVRLittleEndian), "1")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
