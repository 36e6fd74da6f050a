"""The left side of the Launch screen: the fields, and a line above them that shows only some."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from rnnlab.dashboard.screens.launch_form import FormPane
from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs

OPEN = "-filtering"


class FilteredForm(Vertical):
    """The fields, all of them or those whose names hold what is typed above them.

    Attributes:
        line: where that is typed; it is there only while the filter is open.
        pane: the fields.
    """

    def __init__(self, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(id="left")
        self.line = Input(placeholder="fields whose names hold ...", id="filter", compact=True)
        self.pane = FormPane(glyphs)

    def compose(self) -> ComposeResult:
        """The line above the fields."""
        with Horizontal(id="filter-line"):
            yield self.line
            yield Static(Content("esc shows all"), id="filter-note")
        yield self.pane

    @property
    def filtering(self) -> bool:
        """Whether the filter is open."""
        return self.has_class(OPEN)

    def open_filter(self) -> None:
        """Let a part of a name be typed, in place of what was typed last."""
        self.add_class(OPEN)
        self.line.focus()
        self.line.select_all()

    def close_filter(self) -> None:
        """Show all fields."""
        self.remove_class(OPEN)
        self.line.value = ""
        self.pane.filter("")

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self.pane.filter(event.value)

    @on(Input.Submitted, "#filter")
    def _done(self, event: Input.Submitted) -> None:
        event.stop()
        self.pane.action_step(1)  # from outside the fields: to the first that is shown
