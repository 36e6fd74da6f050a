"""The line in which a table's filter is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class FilterLine(Input):
    """Filters as it is typed; the screen moves the focus to its table on `Submitted`."""

    DEFAULT_CSS = """
    FilterLine.-textual-compact { width: 1fr; background: $surface; padding: 0 1 0 3; }
    FilterLine.-textual-compact:focus { background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter,down",
            "submit",
            "To the table",
            key_display="⏎",
            id="filter.done",
            tooltip="Go to what was found",
        ),
        Binding("escape", "drop", "Clear", id="filter.clear", tooltip="Show everything again"),
    ]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, id="filter")

    async def action_drop(self) -> None:
        """Take the filter away."""
        self.value = ""
        await self.action_submit()
