"""Whether a run's worker is alive: a POSIX record lock, which the kernel drops the moment its holder dies.

`flock` will not do: a forked child inherits it and would keep a dead run alive.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, pid


def acquire(path: Path) -> int | None:
    """Take the lock for the life of this process. Returns its descriptor, or None if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def holder(path: Path) -> int:
    """Process id of the lock's holder, 0 if nobody holds it (a lock held by this very process reads as 0)."""
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
