"""The terminal that the dashboard draws on: whether there is one, and leaving it as it was."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from functools import partial
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


def leave_cleanly(app: App[None]) -> None:
    """From now on such a signal ends `app` as q does, with the exit code that a shell gives for it.

    Textual waits without end for a terminal that is gone or takes nothing, and its loop with it. So the
    handlers are not the loop's, and a process that has not ended in time ends without its leave.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only there can signals be handled
    loop = asyncio.get_running_loop()

    def end(number: int, frame: FrameType | None) -> None:
        if loop.is_closed():  # the app has ended, and this process goes on with something else
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))
        last = threading.Timer(LAST_SECONDS, os._exit, (128 + number,))
        last.daemon = True
        last.start()

    for number in ENDING:
        signal.signal(number, end)
