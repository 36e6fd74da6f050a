"""Whether a run's worker is alive: a POSIX record lock, which the kernel drops the moment its holder dies.

`flock` will not do: a forked child inherits it and would keep a dead run alive.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, pid

_held: set[Path] = set()
"""Locks of this process. POSIX drops a lock as soon as its process closes any descriptor of the file, so a
lock of our own must never be opened a second time."""


class Lock:
    """A lock that this process holds until it is released or the process dies."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor
        _held.add(path)

    def release(self) -> None:
        """Let go of it."""
        _held.discard(self._path)
        os.close(self._descriptor)


def acquire(path: Path) -> Lock | None:
    """Take the lock. Returns None if it is held already, by another process or by this one."""
    path = path.absolute()
    if path in _held:
        return None
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return Lock(path, descriptor)


def holder(path: Path) -> int:
    """Process id of the lock's holder, 0 if nobody holds it."""
    path = path.absolute()
    if path in _held:
        return os.getpid()
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return 0
    try:
        query = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, query))
        return 0 if kind == fcntl.F_UNLCK else pid
    finally:
        os.close(descriptor)
