"""The terminal that the dashboard draws on: whether there is one, and leaving it as it was."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that would end the process and leave the terminal in the state Textual has put it in. Ctrl+c sends
none of them: in that state it is a key like any other."""
LAST_SECONDS = 5.0
"""How long the end may take."""


def is_there() -> bool:
    """Whether there is something to draw on: a terminal that can, or textual-serve."""
    if in_browser():
        return True
    # Textual draws on standard error.
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(
        stream is not None and stream.isatty() for stream in streams
    )


def in_browser() -> bool:
    """Whether textual-serve shows it."""
    return "WebDriver" in os.environ.get("TEXTUAL_DRIVER", "")


@contextmanager
def leaving_cleanly(app: App[None]) -> Iterator[None]:
    """While `app` runs such a signal ends it as q does, with the exit code that a shell gives for it.

    Textual waits without end for a terminal that is gone or takes nothing. Then no handler in Python would
    run, as the system may give the signal to any thread and the main one is not woken. So a thread of its own
    waits for signals, and a process that has not ended in time ends without its leave.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    before = {number: signal.signal(number, _taken) for number in ENDING}
    # Whatever thread gets a signal writes its number there at once.
    earlier = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_end_at_signal, args=(app, receiver), name="rnnlab-signals", daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(earlier)
        for number, handler in before.items():
            signal.signal(number, handler)
        sender.close()


def _taken(number: int, frame: FrameType | None) -> None:
    """In place of the end of the process; `_end_at_signal` hears of the signal as well."""


def _end_at_signal(app: App[None], receiver: socket.socket) -> None:
    """End `app` at the first number that arrives of a signal that ends; return when no more can come."""
    with receiver:
        while numbers := receiver.recv(64):
            for number in numbers:
                if number in ENDING:
                    _end(app, 128 + number)
                    return


def _end(app: App[None], code: int) -> None:
    if not app.is_running:  # so far, and the terminal is as it was
        os._exit(code)
    last = threading.Timer(LAST_SECONDS, os._exit, (code,))
    last.daemon = True
    last.start()
    app.call_from_thread(app.exit, return_code=code)
