"""The journal of a run: an append-only file, one write() an event, read by any number of followers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rnnlab.lab.events import Event, Metrics, from_line, to_line

MARK = 256
"""Bytes before its place by which a reader knows the journal again: measured times and speeds among them."""


class Journal:
    """The writing end. One process holds it; each event survives a kill of that process.

    On opening an existing journal a torn last line is cut off, and the last step of every metric is
    learnt, so that steps repeated after a resume add no second point.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last_step: dict[str, int] = {}
        if path.exists():
            self._recover()
        self._file = path.open("ab", buffering=0)

    def _recover(self) -> None:
        raw = self.path.read_bytes()
        whole = raw.rfind(b"\n") + 1
        if whole != len(raw):
            os.truncate(self.path, whole)
        for event in read(self.path):
            if isinstance(event, Metrics):
                for key in event.values:
                    self._last_step[key] = max(event.step, self._last_step.get(key, -1))

    def write(self, event: Event) -> None:
        """Append `event`, stamped with the present time."""
        if isinstance(event, Metrics):
            fresh = {k: v for k, v in event.values.items() if event.step > self._last_step.get(k, -1)}
            if not fresh:
                return
            self._last_step |= dict.fromkeys(fresh, event.step)
            event = replace(event, values=fresh)
        self._file.write(to_line(replace(event, time=time.time_ns() // 1_000_000)))

    def sync(self) -> None:
        """Force everything written so far to the disk; called with each checkpoint."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Tail:
    """The reading end: each `poll` gives the events written since the last, whole lines only.

    A journal that was cut short or replaced by another is read from its start.

    Attributes:
        offset: bytes consumed; may be set before the first poll to go on from a known place.
        unreadable: lines that were no event (torn by a crash, or of a newer version).
        restarts: times the journal was found to be another one.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path, self.offset, self.unreadable, self.restarts = path, offset, 0, 0
        self._mark = b""

    def poll(self, limit: int = 1 << 20) -> list[Event]:
        """Events in about `limit` further bytes; empty when there is nothing new or no file yet."""
        while lines := self.lines(limit):
            events = [from_line(line) for line in lines]
            self.unreadable += events.count(None)
            # A piece without one event (a newer version's, say) is not yet the end.
            if known := [event for event in events if event is not None]:
                return known
        return []

    def lines(self, limit: int = 1 << 20) -> list[bytes]:
        """As `poll`, but the lines themselves, for a reader that does not need to decode them all."""
        data = self._read(limit)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == limit:
            return self.lines(limit * 2)
        if not whole:
            return []
        self.offset += whole
        self._mark = (self._mark + data[max(0, whole - MARK) : whole])[-MARK:]
        return data[:whole].splitlines()

    def _read(self, limit: int) -> bytes:
        """What follows the offset; what stood before it tells whether this is still the same journal."""
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(self.offset - len(self._mark))
                data = file.read(len(self._mark) + limit)
                size = os.fstat(file.fileno()).st_size
                if size >= self.offset and data.startswith(self._mark):
                    return data[len(self._mark) :]
                self.offset, self._mark = 0, b""
                self.restarts += 1
                file.seek(0)
                return file.read(limit)
        except FileNotFoundError:
            return b""


def read(path: Path) -> Iterator[Event]:
    """All events of a journal, oldest first."""
    tail = Tail(path)
    while events := tail.poll():
        yield from events
