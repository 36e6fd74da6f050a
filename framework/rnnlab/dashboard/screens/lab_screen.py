"""What every screen is: a view of the lab's latest snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from rnnlab.dashboard.feed.snapshot import LabSnapshot

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard


class LabScreen(Screen[None]):
    """A screen that draws snapshots."""

    @property
    def dashboard(self) -> Dashboard:
        """The app."""
        return cast("Dashboard", self.app)

    def show(self, snapshot: LabSnapshot) -> None:
        """Draw `snapshot`: called when the screen is opened and, while it is the one seen, on each change."""
        raise NotImplementedError
