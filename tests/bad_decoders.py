"""Decoders that do in the decoding process what damaged files make native ones do."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np


def as_bytes(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


def as_counts(data: bytes, *, shape: list[int], dtype: str) -> np.ndarray:
    return np.frombuffer(data, dtype).reshape(shape)


def chatty(data: bytes) -> np.ndarray:
    print("warning: odd file", flush=True)
    os.write(1, b"from native code\n")
    os.write(2, b"from native code\n")
    return as_bytes(data)


def modules(data: bytes) -> np.ndarray:
    return as_bytes(" ".join(sys.modules).encode())


def raising(data: bytes) -> np.ndarray:
    raise NotImplementedError("Secret^Person")


def aborting(data: bytes) -> np.ndarray:
    os.abort()


def killed_once(data: bytes, *, marker: str) -> np.ndarray:
    if not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return as_bytes(data)


def endless(data: bytes) -> np.ndarray:
    while True:
        pass


def waiting(data: bytes) -> np.ndarray:
    time.sleep(60)
    return as_bytes(data)


def growing(data: bytes) -> np.ndarray:
    pieces = []
    while True:
        pieces.append(np.ones(2**23, np.uint8))


def huge(data: bytes) -> np.ndarray:
    return np.ones(2**37, np.uint8)


def large_answer(data: bytes) -> np.ndarray:
    return np.zeros(300 * 2**20, np.uint8)
