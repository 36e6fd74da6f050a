"""Asking a training process to stop: the signal sets a flag, the loop finishes its step and saves."""

from __future__ import annotations

import signal
from types import FrameType


class StopRequest:
    """Turns SIGTERM and SIGINT into a request that the training loop reads between steps.

    Attributes:
        reason: why, once a stop was asked for; "" until then.
    """

    def __init__(self) -> None:
        self.reason = ""

    def __bool__(self) -> bool:
        return bool(self.reason)

    def install(self) -> None:
        """Handle the signals. SIGHUP is ignored: a run outlives the terminal that started it."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.reason = f"asked to stop by {signal.Signals(number).name}"
