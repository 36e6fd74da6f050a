"""Stands for a screen that is not written yet."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.screens.lab_screen import LabScreen


class Placeholder(LabScreen):
    """Says that there is nothing."""

    def body(self) -> ComposeResult:
        yield Static("not there yet")

    def show(self, snapshot: LabSnapshot) -> None:
        """Nothing to draw."""
