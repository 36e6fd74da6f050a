"""What every screen is: a header line, a view of the lab's latest snapshot, and a line of keys."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.screen import Screen

from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.screens.frame import HeaderLine, KeyLine

if TYPE_CHECKING:
    from rnnlab.dashboard.app import Dashboard
    from rnnlab.dashboard.catalogue import Catalogue


class LabScreen(Screen[None]):
    """A screen that draws snapshots.

    Below 100 columns it has the class `narrow`, from there on `wide`. A screen implements `body` and `show`;
    the rest may stay as it is.
    """

    DEFAULT_CSS = """
    LabScreen { layout: vertical; overflow: hidden; }
    """
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "narrow"), (100, "wide")]  # pyright: ignore[reportIncompatibleVariableOverride]

    ABOUT: ClassVar[str] = ""
    """What the screen is for, in a few lines: the head of its help."""
    SPARE: ClassVar[tuple[str, ...]] = ()
    """Names of the bindings that the last line leaves out first where there is no room for all."""

    @property
    def dashboard(self) -> Dashboard:
        """The app."""
        return cast("Dashboard", self.app)

    def compose(self) -> ComposeResult:
        yield HeaderLine(self.dashboard.glyphs)
        yield from self.body()
        yield KeyLine(self.dashboard.glyphs, self.SPARE)

    def body(self) -> ComposeResult:
        """The widgets between header and keys."""
        raise NotImplementedError

    def show(self, snapshot: LabSnapshot) -> None:
        """Draw `snapshot`: called when the screen is opened and, while it is the one seen, on each change."""
        raise NotImplementedError

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """Draw what depends on the installed plugins: called after `show` when the screen is opened, and
        whenever more is known of them. The latest is `dashboard.catalogue`."""

    def told(self, run_ids: tuple[str, ...]) -> None:
        """Take what another screen opened this one for; called after `show`.

        Args:
            run_ids: the run for Live; those to compare; the one that Launch is to be filled in from, or none.
        """

    def wanted(self) -> Collection[str] | None:
        """The runs that are to be read first and in full, with their gates; None leaves them as they are."""
        return None

    def draw(self, snapshot: LabSnapshot) -> None:
        """Draw header and body; the app calls this."""
        if self.is_mounted and self.query(KeyLine):
            self.query_one(HeaderLine).snapshot = snapshot
            self.show(snapshot)

    def on_screen_resume(self) -> None:
        self.draw(self.dashboard.snapshot)
        self.show_catalogue(self.dashboard.catalogue)
